"""What is wrong with a cloud, found from what its controller knows: facts in, findings out."""
