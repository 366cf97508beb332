package history

// Decodes is how many reports [History.Overview] has decoded.
func (h *History) Decodes() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.decodes
}
