package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kvart/app"
)

const (
	maxBody     = 64 << 20         // of one answer
	maxWait     = 2 * time.Minute  // for a shop that says "later", in all
	maxTries    = 5                // of one request
	requestTime = 60 * time.Second // for one answer, however slowly it comes
)

// Client asks one shop, politely: never faster than its [Pacer] allows, never
// more than a few questions at once, again after a pause where the shop asks
// for one. It carries credentials to the shop's own host and to no other.
type Client struct {
	// Base is where paths are below.
	Base *url.URL
	// Authorize adds credentials to a request, just before it is sent.
	Authorize func(*http.Request) error
	Pace      Pacer
	// Agent is the name of the program, for the shop's log.
	Agent string
	// Nap waits; nil means the clock.
	Nap func(ctx context.Context, d time.Duration) error

	http  *http.Client
	slots chan struct{}
	skew  atomic.Int64
	count atomic.Int64
}

// NewClient returns a client that asks at most parallel questions at once. base
// has been checked with [ParseBase].
func NewClient(base *url.URL, transport http.RoundTripper, pace Pacer, parallel int) *Client {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = parallel
		transport = t
	}
	c := &Client{Base: base, Pace: pace, slots: make(chan struct{}, parallel)}
	c.http = &http.Client{Transport: transport, Timeout: requestTime, CheckRedirect: c.redirect}
	return c
}

// redirect follows within the shop's host, and only when nothing is written.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	switch {
	case req.URL.Host != c.Base.Host || c.Base.Scheme == "https" && req.URL.Scheme != "https":
		return &strayError{to: req.URL.Scheme + "://" + req.URL.Host}
	case len(via) > 4:
		return &strayError{to: req.URL.Scheme + "://" + req.URL.Host + req.URL.Path}
	case via[0].Method != http.MethodGet:
		return http.ErrUseLastResponse
	}
	if c.Authorize != nil {
		return c.Authorize(req)
	}
	return nil
}

// strayError is a redirect that was not followed.
type strayError struct{ to string }

func (e *strayError) Error() string { return "sent on to " + e.to }

// Request is one question.
type Request struct {
	Method string // "" means GET
	Path   string // below Base
	Query  url.Values
	Body   any     // sent as JSON; an [io.Reader] and a []byte as they are
	Cost   float64 // by the shop's own measure; 0 means 1
	Header http.Header
	// Again looks at an answer with status 200 that may mean "later".
	Again func(*Answer) (wait time.Duration, again bool)
}

// Answer is what came back, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// StatusError is an answer with a status that is no success.
type StatusError struct {
	Answer
	Path string
}

func (e *StatusError) Error() string {
	body := strings.Join(strings.Fields(string(e.Body[:min(len(e.Body), 200)])), " ")
	return fmt.Sprintf("%s: status %d: %s", e.Path, e.Status, body)
}

// Requests is how many were sent.
func (c *Client) Requests() int64 { return c.count.Load() }

// Skew is how far the shop's clock is ahead of this computer's.
func (c *Client) Skew() time.Duration { return time.Duration(c.skew.Load()) }

// JSON asks, and decodes the answer into out unless that is nil. Its error is
// an [*app.Error], or a [*StatusError] for the platform to judge.
func (c *Client) JSON(ctx context.Context, r Request, out any) (*Answer, error) {
	a, err := c.Do(ctx, r)
	if err != nil {
		return a, err
	}
	if t := bytes.TrimLeft(a.Body, " \t\r\n\ufeff"); len(t) == 0 || t[0] == '<' || !json.Valid(a.Body) {
		return a, answerError(r.Path, a.Status, "no JSON, or cut short")
	}
	if out == nil {
		return a, nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return a, answerError(r.Path, a.Status, err.Error())
	}
	return a, nil
}

func answerError(path string, status int, what string) *app.Error {
	return app.Errorf(app.CodeShopAnswer, "shop: ask", "%s: status %d: %s", path, status, what).With("status", strconv.Itoa(status))
}

// Do asks until the shop answers or has said "later" too often.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Cost == 0 {
		r.Cost = 1
	}
	var waited time.Duration
	for try := 1; ; try++ {
		a, err := c.once(ctx, r)
		if ctx.Err() != nil {
			return nil, &app.Error{Code: app.CodeCanceled, Op: "shop: ask", Err: ctx.Err()}
		}
		wait, again := c.again(r, a, err, try)
		if !again {
			return a, c.judge(r, a, err)
		}
		if waited += wait; try >= maxTries && err != nil || waited > maxWait || try > 4*maxTries {
			if a != nil && (a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable || a.Status < 400) {
				return a, app.Errorf(app.CodeSourceBusy, "shop: ask", "%s: status %d after %d tries", r.Path, a.Status, try).With("where", c.Base.Host)
			}
			return a, c.judge(r, a, err)
		}
		if err := c.nap(ctx, wait); err != nil {
			return nil, &app.Error{Code: app.CodeCanceled, Op: "shop: ask", Err: err}
		}
	}
}

// again tells whether to ask once more, and after which pause. What writes is
// repeated only where the shop said that it did nothing.
func (c *Client) again(r Request, a *Answer, err error, try int) (time.Duration, bool) {
	pause := time.Duration(1<<min(try, 6)) * 250 * time.Millisecond
	write := r.Method != http.MethodGet && r.Method != http.MethodHead && r.Again == nil
	var stray *strayError
	switch {
	case errors.As(err, &stray), err != nil && untrusted(err) != "":
		return 0, false
	case err != nil:
		return pause, !write && try < 3
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable:
		after := retryAfter(a.Header)
		if after <= 0 && a.Status == http.StatusServiceUnavailable && try >= 3 {
			return 0, false
		}
		if after <= 0 {
			after = pause
		}
		c.Pace.Slow()
		return after, true
	case a.Status >= 500:
		return pause, !write && try < 3
	case a.Status < 300 && r.Again != nil:
		return r.Again(a)
	}
	return 0, false
}

func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return time.Duration(s * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return time.Until(t)
	}
	return 0
}

// judge turns a failure into an [app.Error], but for statuses that only the
// platform understands.
func (c *Client) judge(r Request, a *Answer, err error) error {
	var stray *strayError
	switch {
	case errors.As(err, &stray):
		return (&app.Error{Code: app.CodeSourceGone, Op: "shop: ask", Err: err}).With("where", c.Base.Host).With("path", stray.to)
	case err != nil && untrusted(err) != "":
		return (&app.Error{Code: app.CodeCertificate, Op: "shop: ask", Err: err}).With("where", c.Base.Host).With("reason", untrusted(err))
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTooLong):
		return answerError(r.Path, 0, err.Error())
	case err != nil:
		return (&app.Error{Code: app.CodeSourceOffline, Op: "shop: ask", Err: err}).With("where", c.Base.Host)
	case a.Status >= 500 || a.Status >= 300 && a.Status < 400:
		return answerError(r.Path, a.Status, "no answer of the shop's")
	case a.Status >= 400:
		return &StatusError{Answer: *a, Path: r.Path}
	}
	return nil
}

// errTooLong is an answer longer than any shop's.
var errTooLong = errors.New("the answer is too long")

// once sends one request and reads the answer to its end.
func (c *Client) once(ctx context.Context, r Request) (*Answer, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.slots }()
	if err := c.Pace.Wait(ctx, r.Cost); err != nil {
		return nil, err
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	c.count.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, bare(err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	err = errors.Join(err, resp.Body.Close())
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > maxBody {
		return nil, errTooLong
	}
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.skew.Store(int64(time.Until(t).Round(time.Second)))
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	c.Pace.Learn(a)
	return a, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	u := *c.Base
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + strings.TrimPrefix(r.Path, "/")
	q := u.Query()
	for k, vs := range r.Query {
		q[k] = vs
	}
	u.RawQuery = q.Encode()
	var body io.Reader
	switch b := r.Body.(type) {
	case nil:
	case io.Reader:
		body = b
	case []byte:
		body = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.Agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, vs := range r.Header {
		req.Header[k] = vs
	}
	if c.Authorize != nil {
		err = c.Authorize(req)
	}
	return req, err
}

// bare is an error without the address asked for, which may hold a key.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (c *Client) nap(ctx context.Context, d time.Duration) error {
	if c.Nap != nil {
		return c.Nap(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
