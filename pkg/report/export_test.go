package report

// Bins is the number of bins of all series of a report.
func Bins(r Report) (n int) {
	for _, s := range r.series {
		n += len(s.Bins)
	}
	return n
}
