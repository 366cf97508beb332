package report

import (
	"io"
	"slices"
)

// File is a report as a file of a run's folder.
type File struct {
	Key    string // by which people ask for it
	Name   string // of the file
	Format Format
}

// Files are all the reports that there are; a run writes them all.
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

// Keys are the keys of all reports.
func Keys() []string {
	var keys []string
	for _, f := range Files() {
		keys = append(keys, f.Key)
	}
	return keys
}

// FileOf finds a report by its key.
func FileOf(key string) (File, bool) {
	all := Files()
	i := slices.IndexFunc(all, func(f File) bool { return f.Key == key })
	if i < 0 {
		return File{}, false
	}
	return all[i], true
}

// PNG writes the chart of the journey that decides. A run without a user has none,
// and the picture says so by its emptiness.
func PNG(w io.Writer, r Report) error {
	if !r.drawn() {
		return emptyPNG(w)
	}
	return ChartPNG(w, r, r.decides())
}

// decides is the journey whose chart stands for the run.
func (r Report) decides() int {
	return max(slices.IndexFunc(r.series, func(s Series) bool { return s.Journey == r.Deciding }), 0)
}

// drawn tells whether there is anything to draw.
func (r Report) drawn() bool { return len(r.series) > 0 && len(r.series[r.decides()].Bins) > 0 }

var _ Format = PNG
