package report

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// TimeAxes are where the panels of a chart have their data.
func TimeAxes(r Report, journey int) (axes []vg.Rectangle, err error) {
	all, err := r.panels(journey)
	if err != nil {
		return nil, err
	}
	for i, tile := range arrange(draw.New(vgsvg.New(chartWidth, r.heightOf(journey))), all) {
		axes = append(axes, all[i].DataCanvas(tile).Rectangle)
	}
	return axes, nil
}

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
	all := r.series[0].chartRows(nil)
	for _, row := range all {
		users += row.Good + row.Slow + row.Failed
	}
	return users, len(all)
}

// Burnt is a part of an error budget.
func Burnt(ratio float64) string { return burnt(ratio) }

// Story is the paragraph for people who were not there.
func Story(r Report) string { return r.story() }

// Lost is what users lost.
func Lost(r Report) (all []string) {
	for _, f := range r.lost() {
		all = append(all, f.Name+": "+f.Value+" ("+f.Note+")")
	}
	return all
}

// ReviewedOf are what a review has to decide on.
func ReviewedOf(r Report) (all []string) {
	for _, f := range r.findings() {
		all = append(all, f.What+" "+f.Owner)
	}
	return all
}

// Thousands is a number with commas.
func Thousands(n int) string { return thousands(n) }
