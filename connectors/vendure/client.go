package vendure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// Headers of Vendure's.
const (
	headerToken = "Vendure-Auth-Token"
	headerKey   = "Vendure-Api-Key"
)

// Codes of GraphQL errors.
const (
	codeForbidden = "FORBIDDEN"
	codeNotFound  = "ENTITY_NOT_FOUND"
)

// client asks one shop in GraphQL. It is safe for concurrent use.
type client struct {
	rest  *rest.Client
	path  string // of the API, below the client's base
	login login
	door  *door
}

// complaint is one entry of an answer's errors.
type complaint struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// refusal is an answer that holds errors.
type refusal struct{ list []complaint }

// Error names the codes and the fields. A message may name a customer: only
// those about the question itself are shown.
func (r *refusal) Error() string {
	var text []string
	for _, c := range r.list {
		line := strings.TrimSpace(c.Extensions.Code + " " + fmt.Sprint(c.Path))
		if strings.HasPrefix(c.Extensions.Code, "GRAPHQL_") || c.Extensions.Code == "BAD_USER_INPUT" {
			line += " " + c.Message
		}
		text = append(text, line)
	}
	return "the shop refused it: " + strings.Join(text, "; ")
}

func (r *refusal) has(code string) bool {
	for _, c := range r.list {
		if c.Extensions.Code == code {
			return true
		}
	}
	return false
}

// refusedWith reports whether the shop answered with an error of the code.
func refusedWith(err error, code string) bool {
	var r *refusal
	return errors.As(err, &r) && r.has(code)
}

// never marks a question that may be asked again when no answer came.
func never(*rest.Answer) (time.Duration, bool) { return 0, false }

// query asks, and decodes the data into out. Data that comes with errors is
// never taken: the error is then a [*refusal].
func (c *client) query(ctx context.Context, text string, vars map[string]any, out any) error {
	return c.run(ctx, rest.Request{Body: map[string]any{"query": text, "variables": vars}, Again: never}, out)
}

// mutate changes something. It is sent once.
func (c *client) mutate(ctx context.Context, text string, vars map[string]any, out any) error {
	return c.run(ctx, rest.Request{Body: map[string]any{"query": text, "variables": vars}}, out)
}

// run sends a request within a session, and once more within a new one where
// the session had ended. Vendure says so, like of a lacking right, by
// forbidding; then nothing was done.
func (c *client) run(ctx context.Context, r rest.Request, out any) error {
	s, err := c.session(ctx)
	if err != nil {
		return err
	}
	err = c.once(ctx, s, r, out)
	if !shut(err) {
		return err
	}
	switch alive, bad := c.alive(ctx, s); {
	case bad != nil:
		return bad // nobody knows why it was forbidden
	case alive:
		return err
	}
	if s, err = c.renew(ctx, s); err != nil {
		return err
	}
	return c.once(ctx, s, r, out)
}

// shut reports whether an answer may mean that the session has ended.
func shut(err error) bool {
	var st *rest.StatusError
	return refusedWith(err, codeForbidden) || errors.As(err, &st) && st.Status == http.StatusUnauthorized
}

// alive reports whether a session still is one.
func (c *client) alive(ctx context.Context, s *session) (bool, error) {
	err := c.once(ctx, s, rest.Request{Body: map[string]any{"query": lookText}, Again: never}, &struct{}{})
	if shut(err) {
		return false, nil
	}
	return err == nil, err
}

// once sends a request within a session.
func (c *client) once(ctx context.Context, s *session, r rest.Request, out any) error {
	h := s.header.Clone()
	for k, v := range r.Header {
		h[k] = v
	}
	h.Set("Apollo-Require-Preflight", "true") // for shops that guard against forged requests
	r.Header, r.Method, r.Path = h, http.MethodPost, c.path
	a, err := c.rest.Do(ctx, r)
	if err != nil {
		return readRefusal(err)
	}
	return read(a, out)
}

// read takes an answer apart.
func read(a *rest.Answer, out any) error {
	var reply struct {
		Data   json.RawMessage `json:"data"`
		Errors []complaint     `json:"errors"`
	}
	if err := json.Unmarshal(a.Body, &reply); err != nil {
		return answerError(a, "no answer of GraphQL, or cut short")
	}
	if len(reply.Errors) > 0 {
		return &refusal{reply.Errors}
	}
	if len(reply.Data) == 0 || bytes.Equal(reply.Data, []byte("null")) {
		return answerError(a, "no data")
	}
	d := json.NewDecoder(bytes.NewReader(reply.Data))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return answerError(a, err.Error())
	}
	return nil
}

// readRefusal finds the errors of GraphQL in an answer whose status is none of
// success.
func readRefusal(err error) error {
	var st *rest.StatusError
	var reply struct {
		Errors []complaint `json:"errors"`
	}
	if errors.As(err, &st) && json.Unmarshal(st.Body, &reply) == nil && len(reply.Errors) > 0 && reply.Errors[0].Message != "" {
		return &refusal{reply.Errors}
	}
	return err
}

func answerError(a *rest.Answer, what string) error {
	return app.Errorf(app.CodeShopAnswer, "vendure: ask", "status %d: %s", a.Status, what).With("status", strconv.Itoa(a.Status))
}

// denied is a login or a key that the shop refused.
func (c *client) denied(err error) error {
	e := app.Errorf(app.CodeSourceDenied, "vendure: log in", "%w", err).With("where", c.rest.Base.Host)
	if c.login.user != "" {
		e = e.With("user", c.login.user)
	}
	return e
}
