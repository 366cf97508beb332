package program

// In is the program from a folder.
func (n Name) In(dir, arch string) ([]byte, error) { return n.in(dir, arch) }
