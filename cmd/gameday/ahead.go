package main

import (
	"iter"

	"github.com/gameday-dev/gameday/pkg/record"
)

// Samples are handed over in batches, of which this many wait.
const (
	batchSize = 1024
	batches   = 4
)

// ahead decodes samples on another processor than that which takes them. If they are not
// taken to the end, the decoding is not waited for: it may be waiting for a pipe.
func ahead(samples iter.Seq2[record.Sample, error]) iter.Seq2[record.Sample, error] {
	return func(yield func(record.Sample, error) bool) {
		var failed error
		full, empty, stop := make(chan []record.Sample, batches), make(chan []record.Sample, batches), make(chan struct{})
		defer close(stop)
		for range batches {
			empty <- make([]record.Sample, 0, batchSize)
		}
		go func() {
			defer close(full)
			batch := <-empty
			for s, err := range samples {
				if failed = err; err != nil {
					break
				}
				if batch = append(batch, s); len(batch) < batchSize {
					continue
				}
				full <- batch // there is room: as much as there are batches
				select {
				case batch = <-empty:
				case <-stop:
					return
				}
			}
			full <- batch
		}()
		for batch := range full {
			for _, s := range batch {
				if !yield(s, nil) {
					return
				}
			}
			empty <- batch[:0]
		}
		if failed != nil {
			yield(record.Sample{}, failed)
		}
	}
}
