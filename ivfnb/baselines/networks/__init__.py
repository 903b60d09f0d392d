"""The networks of the learned comparison methods, one file a method; they need torch. The files beside this folder register them."""
