"""The pages of reference that are made from the code: `make reference` writes them, `make check-generated` compares them."""
