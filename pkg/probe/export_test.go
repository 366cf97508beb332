package probe

// Ours exports ours for tests.
var Ours = ours
