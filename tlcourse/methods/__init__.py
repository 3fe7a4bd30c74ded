"""What the course teaches, from its second use on; the first stands inline in a notebook."""
