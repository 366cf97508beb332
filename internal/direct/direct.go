// Package direct makes the HTTP client for what is asked inside an environment, such as
// whether a lab serves. There, an answer counts only if the component itself has given it.
//
// Users of journeys, and questions for roles, connect directly, too (pkg/probe has a
// transport of its own). What
// is outside an environment obeys the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY, since a
// company's proxy may be the only way to it: gates, notifications, tracing. So does the
// connection to a Docker engine on tcp://, as the docker command has it.
package direct

import "net/http"

// Client is a client that uses no proxy, follows no redirect to another server, and leaves
// no connection open. The caller bounds each request by its context.
func Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
