
command -v python3 >/dev/null || refuse "python3 is missing: install it (Debian: apt-get install python3)"

# $1 is report or json for everything that there is, join for what stands in the way.
look() {
  python3 - "$1" "$ASKED" <<'OVERLACE_CHECK'
@CHECK@
OVERLACE_CHECK
}
