"""The mathematics: activations, losses, initializers, optimizers, the network and its gradient check."""
