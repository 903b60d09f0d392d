"""What comparison methods learn from photographs, one file a method."""
