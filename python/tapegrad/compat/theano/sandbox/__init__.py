"""`theano.sandbox`: the other generator of random numbers."""
