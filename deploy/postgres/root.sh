#!/bin/sh
# The filesystem of the database's image: PostgreSQL 15 of Debian 12, Patroni, psql, and nothing that they do not need at run time.
# Usage: root.sh ROOT.tar
set -eu
patroni=$(dirname "$(realpath "$0")")/patroni.sh

# The user is made before the packages are: their scripts then take it as it is, with numbers that do not depend on the
# order of installation. No cluster is made at installation. Perl goes at the end, and with it Debian's
# wrappers: PATH in the image finds PostgreSQL's own programs.
mmdebstrap --variant=minbase \
  --include=postgresql-15,python3-psycopg2,python3-yaml,python3-urllib3,python3-click,python3-prettytable,python3-dateutil,python3-psutil,python3-cdiff \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --essential-hook='echo "postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash" >>"$1/etc/passwd"' \
  --essential-hook='echo "postgres:x:999:" >>"$1/etc/group"' \
  --essential-hook='echo "postgres:*:19000:0:99999:7:::" >>"$1/etc/shadow"' \
  --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
  --customize-hook="sh '$patroni' \"\$1\"" \
  --customize-hook='rm -rf "$1"/usr/lib/postgresql/15/lib/bitcode "$1"/usr/lib/postgresql/15/lib/llvmjit*' \
  --customize-hook='rm -rf "$1"/usr/lib/*/libLLVM* "$1"/usr/lib/*/libz3.so* "$1"/usr/lib/llvm*' \
  --customize-hook='rm -rf "$1"/usr/lib/*/gconv "$1"/usr/lib/*/perl* "$1"/usr/share/perl* "$1"/usr/bin/perl*' \
  --customize-hook='rm -rf "$1"/usr/share/postgresql-common "$1"/usr/share/i18n "$1"/usr/share/postgresql/15/man "$1"/etc/ssl' \
  --customize-hook='rm -rf "$1"/var/lib/apt "$1"/var/lib/dpkg "$1"/var/cache/* "$1"/var/log/* "$1"/usr/lib/apt "$1"/usr/bin/apt*' \
  --customize-hook='rm -f "$1"/usr/bin/psql "$1"/usr/bin/pg_* "$1"/usr/bin/createdb "$1"/usr/bin/dropdb' \
  bookworm "$1"
