"""The Debian packages: built, looked at, installed and removed as an administrator would."""
