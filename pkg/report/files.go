package report

import (
	"io"
	"slices"
)

// File is a report format as a file in a run's folder.
type File struct {
	Key    string // the name of the format on the command line
	Name   string // the name of the file
	Format Format
}

// Files are all report formats that have a file. A run writes them all.
func Files() []File {
	return []File{
		{"json", "verdict.json", JSON},
		{"md", "report.md", Markdown},
		{"html", "report.html", HTML},
		{"png", "report.png", PNG},
		{"junit", "junit.xml", JUnit},
		{"github", "github.txt", GitHub},
	}
}

// Keys are the keys of all report formats.
func Keys() []string {
	var keys []string
	for _, f := range Files() {
		keys = append(keys, f.Key)
	}
	return keys
}

// FileOf finds a report format by its key.
func FileOf(key string) (File, bool) {
	all := Files()
	i := slices.IndexFunc(all, func(f File) bool { return f.Key == key })
	if i < 0 {
		return File{}, false
	}
	return all[i], true
}

// PNG writes the chart of the deciding journey. The picture is blank if the run has
// no users.
func PNG(w io.Writer, r Report) error {
	if !r.drawn() {
		return emptyPNG(w)
	}
	return ChartPNG(w, r, r.decides())
}

// decides is the index of the journey whose chart stands for the run.
func (r Report) decides() int {
	return max(slices.IndexFunc(r.series, func(s Series) bool { return s.Journey == r.Deciding }), 0)
}

// drawn reports whether the run has a chart.
func (r Report) drawn() bool { return len(r.series) > 0 && len(r.series[r.decides()].Bins) > 0 }

var _ Format = PNG
