#!/bin/bash
# Run once, by the image's own entry point, on an empty data directory: the roles and the database of the EMS.
# ems_owner owns the schema and migrates it; ems_app reads and appends; ems_auditor, made by the migrations' role, only reads.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner="$(cat ${SECRETS:-/run/secrets}/postgres_owner_password)" --set app="$(cat ${SECRETS:-/run/secrets}/postgres_app_password)" <<'SQL'
CREATE ROLE ems_owner LOGIN CREATEDB PASSWORD :'owner';
CREATE ROLE ems_app LOGIN PASSWORD :'app';
CREATE ROLE ems_auditor NOLOGIN;
CREATE DATABASE ems OWNER ems_owner;
REVOKE ALL ON DATABASE ems FROM PUBLIC;
GRANT CONNECT ON DATABASE ems TO ems_app, ems_auditor;
SQL
