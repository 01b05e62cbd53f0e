"""The preprocessing of pictures inside exported models, and the sources of the scripts beside them."""
