"""The console's server: follows the log, keeps read models, serves them to browsers. It cannot touch trading."""
