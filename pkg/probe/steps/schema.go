package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// schema is a method with the types that its messages need.
type schema struct {
	protoreflect.MethodDescriptor

	types *dynamicpb.Types
}

// find finds a method, such as shop.Orders/Create, in files of descriptors.
func find(method string, files []*descriptorpb.FileDescriptorProto) (*schema, error) {
	known, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: files})
	if err != nil {
		return nil, fmt.Errorf("%w (protoc has --include_imports)", err)
	}
	service, name, _ := strings.Cut(method, "/")
	found, err := known.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("there is no service %s", service)
	}
	described, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no service", service)
	}
	m := described.Methods().ByName(protoreflect.Name(name))
	switch {
	case m == nil:
		return nil, fmt.Errorf("service %s has no method %s", service, name)
	case m.IsStreamingClient():
		return nil, fmt.Errorf("method %s takes a stream of requests, which journeys cannot send", method)
	}
	return &schema{m, dynamicpb.NewTypes(known)}, nil
}

// maxFiles is how many files of descriptors a server may send.
const maxFiles = 1000

// ask asks a server for a method, by reflection.
func ask(ctx context.Context, c *call, method string) (*schema, error) {
	service, _, _ := strings.Cut(method, "/")
	files, err := inVersion(ctx, c, "v1", service)
	if status.Code(err) == codes.Unimplemented {
		files, err = inVersion(ctx, c, "v1alpha", service)
	}
	if status.Code(err) == codes.Unimplemented && c.ended.Load() {
		return nil, probe.Failure("the server has no reflection: set descriptors:", "")
	}
	if err != nil {
		return nil, err
	}
	c.ended.Store(false)
	s, err := find(method, files)
	if err != nil {
		return nil, probe.Failure("the server's reflection does not describe the method "+method, err.Error())
	}
	return s, nil
}

// inVersion asks for the file of a service and all that it imports. All versions have the
// same messages.
func inVersion(ctx context.Context, c grpc.ClientConnInterface, version, service string) (files []*descriptorpb.FileDescriptorProto, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/grpc.reflection."+version+".ServerReflection/ServerReflectionInfo")
	if err != nil {
		return nil, err
	}
	have, wanted := map[string]bool{}, []string{}
	request := &reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}}
	for {
		sent, err := exchange(s, request)
		if err != nil {
			return nil, err
		}
		for _, f := range sent {
			if !have[f.GetName()] {
				have[f.GetName()] = true
				files = append(files, f)
				wanted = append(wanted, f.GetDependency()...)
			}
		}
		for len(wanted) > 0 && have[wanted[0]] {
			wanted = wanted[1:]
		}
		if len(wanted) == 0 {
			return files, nil
		}
		if len(files) > maxFiles || len(sent) == 0 {
			return nil, probe.Failure("the server's reflection does not describe all types", "")
		}
		request = &reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileByFilename{FileByFilename: wanted[0]}}
	}
}

// exchange sends one request of reflection and receives the files of the answer.
func exchange(s grpc.ClientStream, request *reflection.ServerReflectionRequest) (files []*descriptorpb.FileDescriptorProto, err error) {
	if err := s.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err // of the end of the stream, only the answer says why
	}
	var answer reflection.ServerReflectionResponse
	switch err := s.RecvMsg(&answer); {
	case errors.Is(err, io.EOF):
		return nil, probe.Failure("the server's reflection does not answer", "")
	case err != nil:
		return nil, err
	}
	if e := answer.GetErrorResponse(); e != nil {
		return nil, probe.Failure("the server's reflection does not know the service", e.GetErrorMessage())
	}
	for _, data := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		var f descriptorpb.FileDescriptorProto
		if proto.Unmarshal(data, &f) != nil {
			return nil, probe.Failure("the server's reflection sends no descriptors", "")
		}
		files = append(files, &f)
	}
	return files, nil
}

// health is the service with which servers of gRPC report their health. Many have it, but
// no reflection; so its types are known.
func health(method string) *schema {
	if !strings.HasPrefix(method, healthpb.Health_ServiceDesc.ServiceName+"/") {
		return nil
	}
	s, err := find(method, []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(healthpb.File_grpc_health_v1_health_proto)})
	if err != nil {
		return nil // a method of a newer version: the server is asked
	}
	return s
}

// inSet finds a method in the content of a descriptor set file.
func inSet(method string, content []byte) (*schema, error) {
	var set descriptorpb.FileDescriptorSet
	if proto.Unmarshal(content, &set) != nil || len(set.GetFile()) == 0 {
		return nil, errors.New("descriptors: the file is no descriptor set, as protoc --descriptor_set_out --include_imports writes it")
	}
	s, err := find(method, set.GetFile())
	if err != nil {
		return nil, fmt.Errorf("descriptors: %w", err)
	}
	return s, nil
}
