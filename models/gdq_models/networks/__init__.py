"""The super-resolution networks, one file each, and the list of them."""
