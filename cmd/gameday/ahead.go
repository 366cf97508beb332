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

// decoding is what one goroutine decodes and another one takes.
type decoding struct {
	full, empty chan []record.Sample
	stop        chan struct{} // closed when no more is taken
	failed      error         // set before full is closed
}

// ahead decodes samples on another processor than that which takes them. If they are not
// taken to the end, the decoding is not waited for: it may be waiting for a pipe.
func ahead(samples iter.Seq2[record.Sample, error]) iter.Seq2[record.Sample, error] {
	return func(yield func(record.Sample, error) bool) {
		d := &decoding{full: make(chan []record.Sample, batches), empty: make(chan []record.Sample, batches), stop: make(chan struct{})}
		defer close(d.stop)
		for range batches {
			d.empty <- make([]record.Sample, 0, batchSize)
		}
		go d.decode(samples)
		for batch := range d.full {
			for _, s := range batch {
				if !yield(s, nil) {
					return
				}
			}
			d.empty <- batch[:0]
		}
		if d.failed != nil {
			yield(record.Sample{}, d.failed)
		}
	}
}

// decode decodes until the end, an error, or stop.
func (d *decoding) decode(samples iter.Seq2[record.Sample, error]) {
	defer close(d.full)
	batch := <-d.empty
	for s, err := range samples {
		if d.failed = err; err != nil {
			break
		}
		if batch = append(batch, s); len(batch) < batchSize {
			continue
		}
		d.full <- batch // there is room: as much as there are batches
		select {
		case batch = <-d.empty:
		case <-d.stop:
			return
		}
	}
	d.full <- batch
}
