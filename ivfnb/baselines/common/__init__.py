"""What several comparison methods share."""
