package probe

// Example is a journey that shows one feature.
type Example struct{ Title, Text, YAML string }

// Examples show the features of journeys, one each. They are valid journeys.
func Examples() []Example {
	return append(webExamples(), flowExamples()...)
}

// webExamples are about requests and responses of HTTP.
func webExamples() []Example {
	return []Example{
		{"A JSON API", "Log in, order, and later look up whether the order is still there.", `version: 1
name: checkout
timeout: 2s
steps:
  - name: login
    post: /login
    json: {user: "user-{{.seq}}", password: secret}
    capture: {token: $.token}
  - name: order
    post: /orders
    headers: {Authorization: "Bearer {{.token}}"}
    json: {sku: A1, quantity: 1}
    expect: {status: 201}
    acknowledges: $.id
confirm:
  get: /orders/{{.id}}
  auth: {bearer: "{{.token}}"}
  expect: {status: 200}
`},
		{"A login with a form", "Each user keeps cookies, as a browser does, and follows redirects. The hidden token of the form is captured.", `version: 1
name: login
follow: 10
gzip: true
steps:
  - name: form
    get: /login
    capture: {token: {css: "input[name=csrf_token]", attribute: value}}
  - name: login
    post: /login
    form: {user: alice, password: '{{env "SHOP_PASSWORD"}}', csrf_token: "{{.token}}"}
    expect: {css: {h1: Welcome, "a[href='/logout']": exists}}
`},
		{"Expectations", "All of them must hold. What is found is compared with a value, with `exists`, or with conditions.", `version: 1
name: expectations
steps:
  - get: /products
    query: {page: "1"}
    expect:
      status: [200, 203]
      headers: {Content-Type: {matches: ^application/json}}
      contains: [Anvil, Bellows]
      matches: '"cents":\s*\d+'
      json:
        $[0].name: Anvil
        $[0].cents: {gte: 1, lte: 10000}
        $: {length: {gte: 3}}
      size: {gte: 100}
      within: 500ms
  - get: /feed.xml
    expect: {status: 2xx, xpath: {//item/title: exists, count(//item): {gte: 1}}}
`},
		{"Captures", "From JSON, a header, a cookie, a regular expression, an HTML element, or an XPath.", `version: 1
name: captures
steps:
  - name: cart
    post: /cart
    capture:
      id: $.id
      location: {header: Location}
      session: {cookie: sid}
      version: {regexp: 'data-version="(\d+)"'}
      csrf: {css: "meta[name=csrf]", attribute: content}
      next: {xpath: "//a[@rel='next']/@href"}
  - name: open
    get: /carts/{{.id}}
    headers: {X-CSRF: "{{.csrf}}"}
`},
		{"Bodies and files", "A form, a form with files, JSON, or text. Files are beside the journey.", `version: 1
name: upload
steps:
  - name: upload
    put: /notes/{{.seq}}
    body: plain text of user {{.seq}}
  - name: search
    get: /search
    query: {q: "anvil & hammer"}
    auth: {basic: {user: alice, password: '{{env "SHOP_PASSWORD"}}'}}
`},
	}
}

// flowExamples are about users, time and the order of steps.
func flowExamples() []Example {
	return []Example{
		{"An ID that the user chooses", "`let:` makes values once for each user. `acknowledges:` may be a template.", `version: 1
name: order
let: {order: "order-{{uuid}}"}
steps:
  - put: /orders/{{.order}}
    json: {sku: A1}
    expect: {status: 201}
    acknowledges: "{{.order}}"
confirm:
  get: /orders/{{.id}}
`},
		{"Results that come later", "`poll` repeats a step until its result is there. The time is part of the latency.", `version: 1
name: payment
timeout: 15s
steps:
  - name: order
    post: /orders
    capture: {id: $.id}
  - name: paid
    get: /orders/{{.id}}
    poll: {every: 200ms, within: 10s, until: {json: {$.state: paid}}}
`},
		{"Retries and pauses", "A client that retries, as yours does, and a user who reads a page. A pause is not part of the latency.", `version: 1
name: patient
steps:
  - name: browse
    get: /products
  - name: order
    pause: 2s
    post: /orders
    retry: {attempts: 3, backoff: 200ms}
`},
	}
}

// Requests are the settings of all requests that are not HTTP, by key.
func Requests() map[string]Request {
	return map[string]Request{}
}
