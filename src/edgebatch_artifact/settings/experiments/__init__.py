"""From conf/experiment/ to the settings of all points, and what is drawn of them."""
