// Package trace tells an OpenTelemetry collector of a run: a span for the run, and one
// for each of its phases and faults, beside the traces of the system that was broken.
//
// It is configured as OpenTelemetry says, by OTEL_EXPORTER_OTLP_ENDPOINT and its like;
// without that nothing is told.
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

// Configured tells whether there is a collector to be told.
func Configured() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// within is how long a collector may take.
const within = 10 * time.Second

// Export tells of a run. It is nothing where no collector is configured.
func Export(ctx context.Context, r report.Report) (err error) {
	if !Configured() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
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
	held := &holder{SpanExporter: exporter}
	provider := sdk.NewTracerProvider(sdk.WithSyncer(held), sdk.WithResource(about))
	spans(ctx, provider.Tracer("gameday"), r)
	if err := errors.Join(held.err, provider.Shutdown(ctx)); err != nil {
		return fmt.Errorf("trace the run: %w", err)
	}
	return nil
}

// holder keeps the first error of an exporter, which the provider would only log.
type holder struct {
	sdk.SpanExporter
	err error
}

// ExportSpans implements [sdk.SpanExporter].
func (h *holder) ExportSpans(ctx context.Context, all []sdk.ReadOnlySpan) error {
	if h.err == nil { // one who does not answer is not asked for each span
		h.err = h.SpanExporter.ExportSpans(ctx, all)
	}
	return nil
}

// spans makes the spans of a run: times are those of its record.
func spans(ctx context.Context, tracer trace.Tracer, r report.Report) {
	ctx, run := tracer.Start(ctx, "gameday "+r.Scenario, trace.WithTimestamp(r.Started), trace.WithAttributes(
		attribute.String("gameday.run", r.ID), attribute.String("gameday.scenario", r.Scenario), attribute.String("gameday.environment", r.Environment),
		attribute.String("gameday.suspect", r.Suspect.Component), attribute.String("gameday.verdict", string(r.Verdict.Outcome)), attribute.String("gameday.reason", string(r.Reason)),
	))
	if r.Recovery != nil {
		run.SetAttributes(attribute.Float64("gameday.recovery_s", r.Recovery.Duration().Seconds()))
	}
	if o := r.Verdict.Outcome; o == verdict.Proven || o == verdict.Degraded {
		run.SetStatus(codes.Error, report.Headline(r))
	}
	for _, e := range r.Events {
		if e.Kind == record.KindEngine || e.Kind == record.KindNote {
			run.AddEvent(e.What, trace.WithTimestamp(e.At), trace.WithAttributes(attribute.String("gameday.component", e.Component)))
		}
	}
	end := r.Finished
	if end.IsZero() {
		end = r.Ended
	}
	phase := func(name string, from, to *time.Time, attributes ...attribute.KeyValue) {
		if from == nil || to == nil || to.Before(*from) {
			return // what was not seen has no span
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
