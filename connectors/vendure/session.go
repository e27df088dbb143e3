package vendure

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"

	"kvart/connectors/rest"
)

// session is what opens the shop for a while: it is kept in memory only.
type session struct{ header http.Header }

// door is one way into one shop, with the session that was opened last. Shops
// keep their sessions for a year: one is used for as long as it lasts.
type door struct {
	mu   sync.Mutex
	open *session // nil until somebody logged in
}

// doors are those of one process. The zero value is ready for use.
type doors struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*door
}

// of returns the door for a login, whatever became of it.
func (d *doors) of(base string, l login) *door {
	key := sha256.Sum256([]byte(strings.Join([]string{base, l.user, l.password.Reveal(), l.key.Reveal()}, "\x00")))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[[sha256.Size]byte]*door{}
	}
	if d.all[key] == nil {
		d.all[key] = &door{}
	}
	return d.all[key]
}

// session returns what opens the shop.
func (c *client) session(ctx context.Context) (*session, error) {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	if c.door.open == nil {
		return c.enterLocked(ctx)
	}
	return c.door.open, nil
}

// renew returns another session than the one that ended.
func (c *client) renew(ctx context.Context, ended *session) (*session, error) {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	if c.door.open != ended {
		return c.door.open, nil
	}
	if !c.login.key.IsZero() {
		return nil, c.denied(errors.New("the key is not, or no longer, good"))
	}
	return c.enterLocked(ctx)
}

const loginText = `mutation Login($user: String!, $password: String!) {
 login(username: $user, password: $password) { __typename ... on CurrentUser { id } ... on ErrorResult { errorCode } }
}`

// enterLocked logs in. A key needs no login.
func (c *client) enterLocked(ctx context.Context) (*session, error) {
	if !c.login.key.IsZero() {
		c.door.open = &session{http.Header{headerKey: {c.login.key.Reveal()}}}
		return c.door.open, nil
	}
	a, err := c.rest.Do(ctx, rest.Request{
		Method: http.MethodPost, Path: c.path, Again: never, Header: http.Header{"Apollo-Require-Preflight": {"true"}},
		Body: map[string]any{"query": loginText, "variables": map[string]any{"user": c.login.user, "password": c.login.password.Reveal()}},
	})
	if err != nil {
		if err = readRefusal(err); shut(err) {
			return nil, c.denied(err)
		}
		return nil, err
	}
	var got struct {
		Login struct {
			Type  string `json:"__typename"`
			Error string `json:"errorCode"`
		} `json:"login"`
	}
	if err := read(a, &got); err != nil {
		if shut(err) {
			return nil, c.denied(err)
		}
		return nil, err
	}
	if got.Login.Type != "CurrentUser" {
		return nil, c.denied(errors.New(got.Login.Error))
	}
	h := http.Header{}
	if t := a.Header.Get(headerToken); t != "" {
		h.Set("Authorization", "Bearer "+t)
	} else if cookies := (&http.Response{Header: a.Header}).Cookies(); len(cookies) > 0 {
		var parts []string
		for _, k := range cookies {
			parts = append(parts, k.Name+"="+k.Value)
		}
		h.Set("Cookie", strings.Join(parts, "; "))
	} else {
		return nil, answerError(a, "neither token nor cookie came with the login")
	}
	c.door.open = &session{h}
	return c.door.open, nil
}
