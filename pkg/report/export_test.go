package report

// Bins is the number of bins of all series of a report.
func Bins(r Report) (n int) {
	for _, s := range r.series {
		n += len(s.Bins)
	}
	return n
}

// Hits is the ways in which a report shows users to be hit.
func Hits(r Report) []string {
	var all []string
	for _, hit := range r.hits() {
		all = append(all, string(hit))
	}
	return all
}

// ChartTable is how many users and rows the data of the first chart have.
func ChartTable(r Report) (users, rows int) {
	all := r.series[0].chartRows()
	for _, row := range all {
		users += row.Good + row.Slow + row.Failed
	}
	return users, len(all)
}
