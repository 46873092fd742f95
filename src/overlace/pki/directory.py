"""The files of a certificate directory.

``register.json``       authorities, what they issued, digests of tokens
``authority-N.key``     the private key of authority N
``controller.pem``      the controller's private key and certificate
``lock``                held by whoever writes

Only its owner may read it. Files are replaced whole (written beside, synchronised, renamed), so that a crash at any
moment leaves the old or the new one; commands and a running controller exclude each other by the lock.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from overlace.pki.errors import PkiError
from overlace.pki.keys import PrivateKey, key_from_pem, key_to_pem
from overlace.pki.register import Register

T = TypeVar("T")


class PkiDirectory:
    """One directory, opened. Every method may raise PkiError with what is wrong with the files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, fill: "Callable[[PkiDirectory], Register]") -> "PkiDirectory":
        """Make the directory, all of it or nothing; `fill` writes the keys. Raises PkiError when it exists."""
        path = path.absolute()
        if path.exists():
            raise PkiError(f"{path} exists already; nothing was changed")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        except OSError as error:
            raise PkiError(f"cannot make {path}: {error.strerror}") from error
        try:
            directory = cls(building)
            directory._write_register(fill(directory))
            building.rename(path)
        except OSError as error:
            raise PkiError(f"cannot make {path}: {error.strerror}") from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "PkiDirectory":
        """Open one that was created. Raises PkiError when it is none, or when others may read it."""
        directory = cls(path)
        try:
            if not directory.register_file.exists():
                raise PkiError(
                    f"there is no certificate directory at {path}; make one with: overlace pki init"
                )
            for private in (path, *path.glob("*.key"), directory.controller_file):
                if private.exists() and private.stat().st_mode & 0o077:
                    raise PkiError(f"others may read {private}; cure with: chmod go= {private}")
        except OSError as error:
            raise PkiError(f"cannot read {path}: {error.strerror}; are you its owner?") from error
        return directory

    @property
    def register_file(self) -> Path:
        """Its modification time says whether anything changed."""
        return self.path / "register.json"

    @property
    def controller_file(self) -> Path:
        """The controller's private key and certificate, in PEM, as ssl.SSLContext.load_cert_chain takes them."""
        return self.path / "controller.pem"

    def read(self) -> Register:
        """The register as it is."""
        try:
            return msgspec.json.decode(self.register_file.read_bytes(), type=Register)
        except OSError as error:
            raise PkiError(f"cannot read {self.register_file}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise PkiError(f"{self.register_file} is damaged ({error}); restore it from a backup") from error

    def change(self, work: Callable[[Register], tuple[Register, T]]) -> T:
        """Let `work` make a new register of the present one, with nobody else writing meanwhile."""
        with self.locked():
            register, result = work(self.read())
            self._write_register(register)
        return result

    def read_key(self, authority: int) -> PrivateKey:
        """The private key of an authority."""
        path = self._key_file(authority)
        try:
            return key_from_pem(path.read_bytes())
        except OSError as error:
            raise PkiError(f"cannot read the key of authority {authority}: {error}") from error

    def write_key(self, authority: int, key: PrivateKey) -> None:
        """Keep the private key of a new authority. Raises PkiError when there is one of that number."""
        if self._key_file(authority).exists():
            raise PkiError(f"{self._key_file(authority)} exists already; nothing was changed")
        self._write(self._key_file(authority), key_to_pem(key))

    def remove_key(self, authority: int) -> None:
        """Forget the private key of an authority that has been retired."""
        self._key_file(authority).unlink(missing_ok=True)

    def write_controller(self, key: PrivateKey, certificate: str) -> None:
        """Replace the controller's key and certificate, both at once."""
        self._write(self.controller_file, key_to_pem(key) + certificate.encode())

    def _key_file(self, authority: int) -> Path:
        return self.path / f"authority-{authority}.key"

    def _write_register(self, register: Register) -> None:
        self._write(self.register_file, msgspec.json.format(msgspec.json.encode(register), indent=1))

    def _write(self, path: Path, data: bytes) -> None:
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    self._give_to_owner(descriptor)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            finally:
                Path(name).unlink(missing_ok=True)
            self._synchronise()
        except OSError as error:
            raise PkiError(f"cannot write {path}: {error.strerror}") from error

    def _give_to_owner(self, descriptor: int) -> None:
        """Root may run the commands, and the controller under a user of its own must read what they wrote."""
        if os.geteuid() == 0:
            owner = self.path.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)

    def _synchronise(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PkiError(f"cannot lock {self.path}: {error.strerror}") from error
        try:
            self._give_to_owner(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
