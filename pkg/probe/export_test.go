package probe

// Ours is the package's own word on whose fault an error is.
var Ours = ours
