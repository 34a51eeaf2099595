"""Rows that a contract kept aside: which there are, what is wrong with them, and corrections of them."""
