// Package trace exports a run to an OpenTelemetry collector: a span for the run, and a
// span for each phase and each fault, next to the traces of the system under test.
//
// The standard variables such as OTEL_EXPORTER_OTLP_ENDPOINT configure it. Without an
// endpoint it exports nothing.
package trace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Configured reports whether a collector is configured.
func Configured() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// timeout is the timeout of an export.
const timeout = 10 * time.Second

// Export exports a run. It does nothing if no collector is configured.
func Export(ctx context.Context, r report.Report) (err error) {
	if !Configured() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return fmt.Errorf("trace the run: %w", err)
	}
	about, err := resource.New(ctx, resource.WithFromEnv(), resource.WithAttributes(
		attribute.String("service.name", "gameday"), attribute.String("service.version", r.Gameday)))
	if err != nil {
		return fmt.Errorf("trace the run: %w", err)
	}
	held := &holder{SpanExporter: exporter, late: ctx.Done()}
	provider := sdk.NewTracerProvider(sdk.WithSyncer(held), sdk.WithResource(about))
	spans(ctx, provider.Tracer("gameday"), r)
	if err := errors.Join(held.err, provider.Shutdown(ctx)); err != nil {
		return fmt.Errorf("trace the run: %.500w", err) // it may quote the response
	}
	return nil
}

// holder keeps the first error of an exporter: the provider would only log it. It also
// keeps the exporter to its time, which the provider does not: it gives it a context
// without an end, and some responses end with no context.
type holder struct {
	sdk.SpanExporter
	late <-chan struct{}
	err  error
}

// ExportSpans implements [sdk.SpanExporter].
func (h *holder) ExportSpans(ctx context.Context, all []sdk.ReadOnlySpan) error {
	if h.err != nil {
		return nil // do not wait for an unreachable collector once per span
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	exported := make(chan error, 1)
	go func() { exported <- h.SpanExporter.ExportSpans(ctx, all) }()
	select {
	case h.err = <-exported:
	case <-h.late:
		h.err = errors.New("the collector did not answer in time")
	}
	return nil
}

// spans creates the spans of a run, with the times of its record.
func spans(ctx context.Context, tracer trace.Tracer, r report.Report) {
	ctx, run := tracer.Start(ctx, "gameday "+r.Scenario, trace.WithTimestamp(r.Started), trace.WithAttributes(
		attribute.String("gameday.run", r.ID), attribute.String("gameday.scenario", r.Scenario), attribute.String("gameday.environment", r.Environment),
		attribute.String("gameday.suspect", r.Suspect.Component), attribute.String("gameday.verdict", string(r.Outcome)), attribute.String("gameday.reason", string(r.Reason)),
	))
	if r.Recovery != nil {
		run.SetAttributes(attribute.Float64("gameday.recovery_s", r.Recovery.Duration().Seconds()))
	}
	if o := r.Outcome; o == verdict.Proven || o == verdict.Degraded {
		run.SetStatus(codes.Error, report.Headline(r))
	}
	for _, e := range r.Events {
		switch e.Kind {
		case record.KindEngine, record.KindNote:
			run.AddEvent(e.What, trace.WithTimestamp(e.At), trace.WithAttributes(attribute.String("gameday.component", e.Component)))
		case record.KindPerson, record.KindConfirmed, record.KindRecovered:
			run.AddEvent(e.What, trace.WithTimestamp(e.At), trace.WithAttributes(attribute.String("gameday.by", e.By)))
		}
	}
	end := r.Finished
	if end.IsZero() {
		end = r.Ended
	}
	phase := func(name string, from, to *time.Time, attributes ...attribute.KeyValue) {
		if from == nil || to == nil || to.Before(*from) {
			return // no span for a phase that did not happen
		}
		_, span := tracer.Start(ctx, name, trace.WithTimestamp(*from), trace.WithAttributes(attributes...))
		span.End(trace.WithTimestamp(*to))
	}
	phase("baseline", &r.Started, r.FaultAt)
	for _, f := range r.Faults {
		until := f.TakenBack
		if until == nil {
			until = r.Revert
		}
		phase(f.Kind+" "+f.Component, f.Ordered, until, attribute.String("gameday.fault", f.Kind), attribute.String("gameday.component", f.Component))
	}
	phase("repair", r.Revert, &r.Ended)
	run.End(trace.WithTimestamp(end))
}
