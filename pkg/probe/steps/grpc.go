package steps

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// GRPC calls methods of gRPC.
type GRPC struct{}

var _ probe.Protocol = GRPC{}

// grpcAction is a call that is ready to be made.
type grpcAction struct {
	probe.GRPC

	message  probe.Builder
	metadata map[string]*probe.Template
	channels *channels
	known    *schema       // once a user has asked for it
	asking   chan struct{} // holds an item while known is read or set
	gap      time.Duration // the longest silence; 0 is no limit
	timeout  time.Duration // of the whole journey
}

// Open implements [probe.Protocol].
func (GRPC) Open(s probe.Step, o probe.Opening) (probe.Action, error) {
	server, encrypted, err := at(o, s.GRPC.Address)
	if err != nil {
		return nil, err
	}
	if s.GRPC.TLS != nil {
		encrypted = *s.GRPC.TLS
	}
	a := &grpcAction{
		GRPC: *s.GRPC, message: probe.NewBuilder(s.GRPC.Message, o.Templates), metadata: map[string]*probe.Template{},
		channels: &channels{place: server, secure: encrypted, fresh: o.Fresh, timeout: o.Timeout}, asking: make(chan struct{}, 1), timeout: o.Timeout,
	}
	for name, text := range s.GRPC.Metadata {
		a.metadata[name] = o.Templates.Parse(text)
	}
	if a.Stream != nil {
		a.gap = a.Stream.Gap
		if a.Stream.Hold > 0 {
			a.gap = cmp.Or(a.gap, o.Timeout)
		}
	}
	if s.GRPC.Descriptors == "" {
		a.known = health(a.Method)
		return a, nil
	}
	a.known, err = inSet(a.Method, a.Content)
	return a, err
}

// Close implements [probe.Action].
func (a *grpcAction) Close() error { return a.channels.Close() }

// Do implements [probe.Action].
func (a *grpcAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	sent, err := a.header(u)
	if err != nil {
		return got, err
	}
	values, err := u.Build(a.message)
	if err != nil {
		return got, err
	}
	c, err := a.channels.take()
	if err != nil {
		return got, err
	}
	broken := false
	defer func() { a.channels.release(c, broken) }()
	ctx, opened, done := opening(context.WithValue(metadata.NewOutgoingContext(ctx, sent), ofCall{}, c), a.timeout, a.Holds())
	defer done()
	asked := time.Now()
	s, err := a.schema(ctx, c)
	if err == nil {
		got.Held = time.Since(asked) // no user waits for a schema
		err = a.call(ctx, exchanging{c, s, opened}, values, &got)
	}
	if err != nil {
		got.Status, err = c.outcome(ctx, err)
		broken = err != nil && (ctx.Err() == nil || context.Cause(ctx) == context.DeadlineExceeded && !c.heardSince()) //nolint:errorlint // a cause is not wrapped
		got.Absent = got.Status == word(codes.NotFound)
	}
	return got, err
}

// header is the metadata of the request.
func (a *grpcAction) header(u *probe.User) (metadata.MD, error) {
	md := metadata.MD{}
	for name, t := range a.metadata {
		value, err := u.Render(t)
		if err != nil {
			return nil, err
		}
		md.Set(name, value)
	}
	return md, nil
}

// schema is the method that is called. The first user asks the server for it.
func (a *grpcAction) schema(ctx context.Context, c *call) (s *schema, err error) {
	select {
	case a.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-a.asking }()
	if a.known == nil {
		a.known, err = ask(ctx, c, a.Method)
	}
	return a.known, err
}

// request makes the message of the request.
func (a *grpcAction) request(s *schema, values any) (proto.Message, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	m := dynamicpb.NewMessage(s.Input())
	if err := (protojson.UnmarshalOptions{Resolver: s.types}).Unmarshal(data, m); err != nil {
		return nil, probe.Failure(fmt.Sprintf("message: does not fit %s", s.Input().FullName()), err.Error())
	}
	return m, nil
}

// reception is a stream that is being received.
type reception struct {
	received

	wanted  probe.Stream
	opened  func()        // is called when the stream is held from now on
	held    func()        // is called when it was held for long enough
	gap     time.Duration // the longest silence; 0 is no limit
	first   time.Time     // when the first message came
	last    time.Time
	silence *time.Timer
	holding *time.Timer
}

// The reasons why a user leaves a stream.
var (
	errSilent = errors.New("silent")
	errHeld   = errors.New("held")
)

// exchanging is what a call is made with.
type exchanging struct {
	*call
	*schema

	opened func() // is called when the stream is held from now on
}

// call makes the call, and receives what the server sends.
func (a *grpcAction) call(ctx context.Context, with exchanging, values any, got *probe.Answer) error {
	c, s := with.call, with.schema
	request, err := a.request(s, values)
	if err != nil {
		return err
	}
	got.Sent = proto.Size(request)
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	r := reception{opened: with.opened, held: func() { leave(errHeld) }, gap: a.gap}
	if a.Stream != nil {
		r.wanted = *a.Stream
	}
	if a.gap > 0 {
		r.silence = time.AfterFunc(a.gap, func() { leave(errSilent) })
		defer r.silence.Stop()
	}
	stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: s.IsStreamingServer()}, "/"+a.Method)
	if err == nil {
		if err = stream.SendMsg(request); err == nil || errors.Is(err, io.EOF) { // then, only receiving says why
			_ = stream.CloseSend() // never fails
			err = r.receive(stream, s)
		}
	}
	if r.holding != nil {
		r.holding.Stop()
		got.Held += r.last.Sub(r.first)
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errHeld) && err != nil:
		got.Held += time.Since(r.last)
		err = nil
	case errors.Is(cause, errSilent) && err != nil:
		err = probe.Failure("the stream was silent for "+a.gap.String(), "")
	}
	if stream != nil && (c.ended.Load() || r.count > 0) {
		header, _ := stream.Header() // it is there
		got.Header = headers(header, stream.Trailer())
	}
	if err != nil {
		return err
	}
	got.Status = word(codes.OK)
	if s.IsStreamingServer() {
		r.list(got)
	} else {
		r.only(got)
	}
	return nil
}

// receive receives messages until there are enough, or until the stream ends.
func (r *reception) receive(stream grpc.ClientStream, s *schema) error {
	for {
		m := dynamicpb.NewMessage(s.Output())
		switch err := stream.RecvMsg(m); {
		case errors.Is(err, io.EOF):
			return r.ended()
		case err != nil:
			return err
		}
		r.last = time.Now()
		if r.silence != nil {
			r.silence.Reset(r.gap)
		}
		if r.first.IsZero() && r.wanted.Hold > 0 {
			r.opened()
			r.first, r.holding = r.last, time.AfterFunc(r.wanted.Hold, r.held)
		}
		if err := r.keep(m, s); err != nil {
			return err
		}
		if !s.IsStreamingServer() || r.count == r.wanted.Messages {
			return nil
		}
	}
}

// keep keeps a message as JSON, if there is room. A stream that is held is limited by time
// only.
func (r *reception) keep(m proto.Message, s *schema) error {
	if r.wanted.Hold == 0 {
		if err := r.arrived(proto.Size(m)); err != nil {
			return err
		}
	}
	if r.full() {
		r.count++
		return nil
	}
	// Values that are not set are there too: an expectation can look at them.
	data, err := protojson.MarshalOptions{Resolver: s.types, EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return probe.Failure("the response cannot be shown as JSON", err.Error())
	}
	r.add(data)
	return nil
}

// ended is the error of a stream that has ended.
func (r *reception) ended() error {
	switch {
	case r.wanted.Hold > 0:
		return probe.Failure("the stream ended while it was held", fmt.Sprintf("after %d messages", r.count))
	case r.wanted.Messages > 0:
		return probe.Failure(fmt.Sprintf("the stream ended before %d messages", r.wanted.Messages), fmt.Sprintf("after %d", r.count))
	}
	return nil
}

// headers are metadata as headers.
func headers(all ...metadata.MD) http.Header {
	h := http.Header{}
	for _, md := range all {
		for name, values := range md {
			for _, v := range values {
				h.Add(name, v)
			}
		}
	}
	return h
}
