"""Choose, order and freeze an edition: what becomes of a week's stories."""
