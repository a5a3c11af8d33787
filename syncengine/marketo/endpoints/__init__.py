"""One module a resource of Marketo's API; every function returns a Call, none performs it, none imports another."""
