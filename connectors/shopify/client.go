package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// Version is the version of the Admin API that every operation here was written
// for. Shopify serves a version for at least twelve months and answers with
// another one after that, which is noticed and refused.
const Version = "2026-07"

const (
	parallel = 4 // questions at once
	maxTries = 12
	fileTime = time.Hour // for the result of a bulk operation
)

// client asks one shop in GraphQL. It is safe for concurrent use.
type client struct {
	cfg    config
	rest   *rest.Client
	meter  *meter
	tokens *tokens
	files  *http.Client // for files, without any key
}

func newClient(cfg config, k key, o Options) (*client, error) {
	base, err := url.Parse(cfg.base)
	if err != nil {
		return nil, bad(fieldShop, "address: %w", err)
	}
	c := &client{cfg: cfg, meter: newMeter(o.now), files: &http.Client{Transport: o.transport, Timeout: fileTime}}
	c.meter.nap = o.nap
	c.rest = rest.NewClient(base, o.transport, c.meter, parallel)
	c.rest.Agent, c.rest.Nap = "Kvart", o.nap
	open := rest.NewClient(base, o.transport, rest.NewGentle(10), 1)
	open.Agent, open.Nap = "Kvart", o.nap
	now := o.now
	if now == nil {
		now = time.Now
	}
	c.tokens = &tokens{key: k, shop: cfg.shop, rest: open, now: now}
	return c, nil
}

// reply is what GraphQL answers with.
type reply struct {
	Data       json.RawMessage `json:"data"`
	Errors     json.RawMessage `json:"errors"` // a list, or a text from what stands before GraphQL
	Extensions struct {
		Cost cost `json:"cost"`
	} `json:"extensions"`
}

// run carries out one operation and decodes the data into out. Data that comes
// with errors is never taken: the error is then a [*refusal].
func (c *client) run(ctx context.Context, d document, vars map[string]any, out any) error {
	text := d.String()
	for try := 1; ; try++ {
		data, wait, err := c.once(ctx, d, text, vars)
		if err == nil {
			return decode(data, out)
		}
		var refused *refusal
		if !errors.As(err, &refused) || !refused.later(d.kind == "mutation") || try >= maxTries {
			return c.coded(ctx, err)
		}
		if err := c.meter.sleep(ctx, wait); err != nil {
			return c.coded(ctx, err)
		}
	}
}

// once sends the operation, with a new token where the last one was refused.
func (c *client) once(ctx context.Context, d document, text string, vars map[string]any) (json.RawMessage, time.Duration, error) {
	token, err := c.tokens.current(ctx)
	if err != nil {
		return nil, 0, err
	}
	reserved := c.meter.expected(d.name)
	request := rest.Request{
		Method: http.MethodPost, Path: "/admin/api/" + Version + "/graphql.json", Cost: reserved,
		Body:   map[string]any{"query": text, "variables": vars, "operationName": d.name},
		Header: http.Header{"X-Shopify-Access-Token": {token.Reveal()}},
	}
	if d.kind == "query" {
		request.Again = never
	}
	answer, err := c.rest.Do(ctx, request)
	var status *rest.StatusError
	if errors.As(err, &status) && status.Status == http.StatusUnauthorized {
		if token, err = c.tokens.again(ctx, token); err != nil {
			return nil, 0, err
		}
		request.Header = http.Header{"X-Shopify-Access-Token": {token.Reveal()}}
		answer, err = c.rest.Do(ctx, request)
	}
	if err != nil {
		return nil, 0, err
	}
	return c.read(d, reserved, answer)
}

// read takes an answer apart.
func (c *client) read(d document, reserved float64, answer *rest.Answer) (json.RawMessage, time.Duration, error) {
	if v := answer.Header.Get("X-Shopify-Api-Version"); v != "" && v != Version {
		return nil, 0, app.Errorf(app.CodeShopVersion, "shopify: ask", "version %s answered, not %s", v, Version).With("version", Version)
	}
	var r reply
	if err := json.Unmarshal(answer.Body, &r); err != nil {
		return nil, 0, notAnAnswer(answer, err.Error())
	}
	if len(r.Errors) > 0 && !bytes.Equal(r.Errors, []byte("null")) && !bytes.Equal(r.Errors, []byte("[]")) {
		refused := &refusal{operation: d.name}
		if err := json.Unmarshal(r.Errors, &refused.list); err != nil {
			refused.list = []complaint{{Message: string(r.Errors)}}
		}
		var wait time.Duration
		if refused.has(codeThrottled) {
			wait = c.meter.refused(d.name, r.Extensions.Cost)
		} else {
			c.meter.paid(d.name, reserved, r.Extensions.Cost)
			wait = time.Second
		}
		return nil, wait, refused
	}
	c.meter.paid(d.name, reserved, r.Extensions.Cost)
	if len(r.Data) == 0 || bytes.Equal(r.Data, []byte("null")) {
		return nil, 0, notAnAnswer(answer, "no data")
	}
	return r.Data, 0, nil
}

// decode keeps numbers as they were written.
func decode(data json.RawMessage, out any) error {
	if out == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return app.Errorf(app.CodeShopAnswer, "shopify: read answer", "%w", err)
	}
	return nil
}
