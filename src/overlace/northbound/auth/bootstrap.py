"""The first administrator of an installation."""

import uuid

from overlace.model.identity import Project, RoleAssignment, User
from overlace.northbound.auth.passwords import hash_password
from overlace.northbound.intents import Store, Transaction


async def bootstrap(store: Store, password: str, user: str = "admin", project: str = "admin") -> str:
    """Make the project and its administrator, or set the password anew; returns the project's id."""
    hashed = hash_password(password)

    def run(transaction: Transaction) -> str:
        home = next(iter(transaction.members(Project, "name", project)), None)
        if home is None:
            home = Project(id=uuid.uuid4().hex, name=project, description="Made at installation")
            transaction.put(home)
        known = next(iter(transaction.members(User, "name", user)), None)
        person = User(id=known.id if known else uuid.uuid4().hex, name=user, password_hash=hashed)
        transaction.put(person)
        transaction.put(RoleAssignment(user_id=person.id, project_id=home.id, role="admin"))
        return home.id

    committed = await store.transact(run, actor="bootstrap", request_id="bootstrap", source="cli")
    return committed.result
