package rig_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/internal/program"
)

var update = flag.Bool("update", false, "write the recording")

// orders are those of the table, with what they are sent.
func orders() map[string]string {
	return map[string]string{
		"start": "", "stop": "?t=1", "kill": "?signal=SIGKILL", "pause": "", "unpause": "", "restart": "?t=1",
		"update": `{"Memory":33554432,"MemorySwap":67108864}`,
	}
}

// ways are the orders that bring a new container into a state.
func ways() map[string][]string {
	return map[string][]string{"created": nil, "running": {"start"}, "paused": {"start", "pause"}, "exited": {"start", "kill"}}
}

// What the rig answers is what the engine answers, or, with another version of the engine,
// the same in everything that gameday looks at.
func TestTheRecording(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	r := &recorder{bed: bed, labels: bed.Labels("com.docker.compose.project=shop", "com.docker.compose.service=db",
		"com.docker.compose.container-number=1", "com.docker.compose.oneoff=False", "com.docker.compose.depends_on=etcd:service_healthy:false")}
	dialer := bed.Client.Dialer()
	r.http = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer(ctx) }}
	var err error
	if r.image, err = bed.Env.ProgramImage(t.Context(), program.Lab); err != nil {
		t.Fatal(err)
	}
	r.net = "shop" + strings.ReplaceAll(strings.TrimPrefix(bed.Label, "gameday.test="), "=", "")
	made, err := bed.Client.NetworkCreate(t.Context(), r.net, network.CreateOptions{Labels: bed.Labels()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bed.Client.NetworkRemove(context.WithoutCancel(t.Context()), made.ID) })
	r.netID = made.ID
	got := r.record(t)
	if *update {
		data, err := json.MarshalIndent(got, "", " ")
		if err == nil {
			err = os.WriteFile("testdata/recording.json", append(data, '\n'), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(essence(rig.Recorded()), essence(got)); diff != "" {
		t.Errorf("the recording (-) and the engine (+): %s", diff)
	}
}

// essence is what gameday looks at in the answers of an engine, of any version.
func essence(r rig.Recording) map[string]string {
	all := map[string]string{"missing": strconv.Itoa(r.Missing.Status), "taken": strconv.Itoa(r.Taken.Status)}
	put := func(key string, a rig.Answer) {
		var events []string
		for _, e := range a.Events {
			events = append(events, fmt.Sprint(e["Action"]))
		}
		events = slices.Compact(events) // a slow container is killed twice when it is stopped
		all[key] = fmt.Sprint(a.Status < http.StatusMultipleChoices, a.Status == http.StatusNotModified, a.Gone, a.State["Status"], a.State["Running"], a.State["Paused"], a.Host["Memory"], events)
	}
	for state, orders := range r.Orders {
		for order, a := range orders {
			put(state+" "+order, a)
		}
	}
	for order, a := range r.Vanishing {
		put("vanishing "+order, a)
	}
	for status, h := range r.Health {
		all["health "+status] = fmt.Sprint(h["Status"])
	}
	for status, s := range r.States {
		all["state "+status] = fmt.Sprint(s["Status"], s["Running"], s["Paused"], s["Restarting"])
	}
	return all
}

type recorder struct {
	bed               *enginetest.Bed
	http              *http.Transport
	image, net, netID string
	labels            map[string]string
}

func (r *recorder) record(t *testing.T) rig.Recording {
	t.Helper()
	got := rig.Recording{
		Ping: rig.Object{}, Health: map[string]rig.Object{}, States: map[string]rig.Object{},
		Orders: map[string]map[string]rig.Answer{}, Vanishing: map[string]rig.Answer{},
	}
	_, header, _ := r.ask(t, http.MethodHead, "/_ping", "")
	for _, key := range []string{"Api-Version", "Ostype", "Docker-Experimental"} {
		got.Ping[key] = header.Get(key)
	}
	got.Info, got.Version = r.object(t, "/info"), r.object(t, "/version")
	for key := range got.Info {
		if !strings.Contains(" ID Name DockerRootDir Driver Architecture OSType ServerVersion KernelVersion MemoryLimit SwapLimit PidsLimit CpuCfsQuota CpuCfsPeriod CgroupVersion ", " "+key+" ") {
			delete(got.Info, key)
		}
	}
	got.Info["ID"], got.Info["Name"], got.Info["Driver"] = "SS5V:7QY7", "engine", "overlay2"
	for _, key := range []string{"Components", "GitCommit", "BuildTime", "GoVersion"} {
		delete(got.Version, key)
	}
	got.Info["KernelVersion"], got.Version["KernelVersion"] = "6.18.44", "6.18.44"
	r.recordContainers(t, &got)
	for state, way := range ways() {
		got.Orders[state] = map[string]rig.Answer{}
		for order := range orders() {
			id := r.create(t, func(*container.Config, *container.HostConfig) {}, way...)
			got.States[state] = r.clean(r.inspect(t, id), id)["State"].(rig.Object)
			got.Orders[state][order] = r.order(t, id, order)
			r.bed.Remove(id)
		}
	}
	for _, order := range []string{"kill", "stop", "pause"} {
		id := r.create(t, func(_ *container.Config, h *container.HostConfig) { h.AutoRemove, h.RestartPolicy.Name = true, "no" }, "start")
		got.Vanishing[order] = r.order(t, id, order)
		r.bed.Remove(id)
	}
	status, _, body := r.ask(t, http.MethodPost, "/containers/"+strings.Repeat("0", 64)+"/kill", "")
	got.Missing = rig.Answer{Status: status, Message: strings.ReplaceAll(message(body), strings.Repeat("0", 64), recordedID)}
	return got
}

// recordContainers records containers as they are shown.
func (r *recorder) recordContainers(t *testing.T, got *rig.Recording) {
	t.Helper()
	for status, check := range map[string]container.HealthConfig{
		"starting":  {Test: []string{"CMD", "/gameday-lab", "help"}, Interval: time.Hour},
		"healthy":   {Test: []string{"CMD", "/gameday-lab", "help"}, Interval: time.Second},
		"unhealthy": {Test: []string{"CMD", "/no-such-program"}, Interval: time.Second, Retries: 1},
	} {
		id := r.create(t, func(c *container.Config, _ *container.HostConfig) { c.Healthcheck = &check }, "start")
		r.bed.Eventually("it is "+status, func() bool { return r.bed.Inspect(id).State.Health.Status == status })
		seen := r.clean(r.inspect(t, id), id)
		health := seen["State"].(rig.Object)["Health"].(rig.Object)
		health["Log"] = []any{}
		got.Health[status] = health
		if status == "starting" {
			got.Container = seen
			list := r.list(t, id)
			got.Summary = r.clean(list, id)
			seenNet := r.object(t, "/networks/"+r.netID)
			got.Network = r.clean(seenNet, id)
			name := r.inspect(t, id)["Name"].(string)
			body, _ := json.Marshal(rig.Object{"Image": r.image})
			refused, _, answer := r.ask(t, http.MethodPost, "/containers/create?name="+url.QueryEscape(name[1:]), string(body))
			got.Taken = rig.Answer{Status: refused, Message: strings.NewReplacer(id, recordedID, name[1:], recordedName).Replace(message(answer))}
		}
		r.bed.Remove(id)
	}
	got.Summary["Status"], got.Summary["Created"] = "Up 2 seconds", 0
}

// create makes a container, and gives it orders.
func (r *recorder) create(t *testing.T, change func(*container.Config, *container.HostConfig), orders ...string) string {
	t.Helper()
	config := container.Config{Image: r.image, Cmd: []string{"shop"}, Labels: r.labels, Env: []string{"SHOP_LISTEN=:8080", "SHOP_DATABASE=postgres://none@127.0.0.1:1/none"}}
	pids := int64(50)
	host := container.HostConfig{
		NetworkMode: container.NetworkMode(r.net), RestartPolicy: container.RestartPolicy{Name: "unless-stopped"},
		Resources: container.Resources{Memory: 64 << 20, MemorySwap: 128 << 20, PidsLimit: &pids},
	}
	change(&config, &host)
	made, err := r.bed.Client.ContainerCreate(t.Context(), &config, &host, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.bed.Remove(made.ID) })
	for _, order := range orders {
		if a := r.order(t, made.ID, order); a.Status >= http.StatusBadRequest {
			t.Fatalf("%s: %+v", order, a)
		}
	}
	return made.ID
}

// order gives an order, and sees what it does.
func (r *recorder) order(t *testing.T, id, order string) rig.Answer {
	t.Helper()
	before := r.inspect(t, id)
	began := time.Now()
	path, body := "/containers/"+id+"/"+order+orders()[order], ""
	if order == "update" {
		path, body = "/containers/"+id+"/"+order, orders()[order]
	}
	status, _, said := r.ask(t, http.MethodPost, path, body)
	a := rig.Answer{Status: status}
	if status >= http.StatusBadRequest {
		name := strings.TrimPrefix(before["Name"].(string), "/")
		a.Message = strings.NewReplacer(id, recordedID, name, recordedName, id[:12], recordedID[:12]).Replace(message(said))
	}
	if before["HostConfig"].(rig.Object)["AutoRemove"] == true && (order == "kill" || order == "stop") {
		r.bed.Eventually("it is removed", func() bool { return r.inspect(t, id) == nil })
	}
	after := r.inspect(t, id)
	a.Gone = after == nil
	if !a.Gone && cmp.Diff(before["State"], after["State"]) != "" {
		was := before["State"].(rig.Object)
		state := r.clean(after, id)["State"].(rig.Object)
		now := after["State"].(rig.Object)
		state["StartedAt"], state["FinishedAt"] = when(was, now, "StartedAt"), when(was, now, "FinishedAt")
		a.State = state
	}
	if !a.Gone && order == "update" && status < http.StatusBadRequest {
		host := after["HostConfig"].(rig.Object)
		a.Host = rig.Object{"Memory": host["Memory"], "MemorySwap": host["MemorySwap"]}
	}
	a.Events = r.events(t, id, began)
	return a
}

// when says whether an order has changed a time.
func when(before, after rig.Object, key string) string {
	if before[key] == after[key] {
		return rig.Before
	}
	return rig.Now
}

// events are those of a container since a moment.
func (r *recorder) events(t *testing.T, id string, since time.Time) (all []rig.Object) {
	t.Helper()
	filters, _ := json.Marshal(map[string][]string{"container": {id}, "type": {"container"}})
	at := func(moment time.Time) string { return fmt.Sprintf("%d.%09d", moment.Unix(), moment.Nanosecond()) }
	_, _, body := r.ask(t, http.MethodGet, "/events?since="+at(since)+"&until="+at(time.Now())+"&filters="+url.QueryEscape(string(filters)), "")
	for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
		var e rig.Object
		if err := decoder.Decode(&e); err != nil {
			return all
		}
		if strings.HasPrefix(fmt.Sprint(e["Action"]), "exec_") || strings.HasPrefix(fmt.Sprint(e["Action"]), "health_status") {
			continue
		}
		e = r.clean(e, id)
		e["time"], e["timeNano"] = 0, 0
		actor := e["Actor"].(rig.Object)["Attributes"].(rig.Object)
		actor["name"] = recordedName
		delete(actor, "execDuration") // of newer engines
		all = append(all, e)
	}
}

func (r *recorder) ask(t *testing.T, method, path, body string) (status int, header http.Header, answer []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://engine/v1.41"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := r.http.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, answer
}

func message(body []byte) string {
	var m struct{ Message string }
	_ = json.Unmarshal(body, &m)
	return m.Message
}

func (r *recorder) object(t *testing.T, path string) (o rig.Object) {
	t.Helper()
	if status, _, body := r.ask(t, http.MethodGet, path, ""); status == http.StatusOK {
		if err := json.Unmarshal(body, &o); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// inspect is nil for a container that is gone.
func (r *recorder) inspect(t *testing.T, id string) rig.Object {
	t.Helper()
	return r.object(t, "/containers/"+id+"/json")
}
