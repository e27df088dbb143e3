package shopify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"kvart/app"
	"kvart/connectors/rest"
)

// Codes of GraphQL errors.
const (
	codeThrottled = "THROTTLED"
	codeInternal  = "INTERNAL_SERVER_ERROR"
	codeTimeout   = "TIMEOUT"
	codeDenied    = "ACCESS_DENIED"
	codeCostly    = "MAX_COST_EXCEEDED"
	codeInactive  = "SHOP_INACTIVE"
)

// complaint is one entry of an answer's errors.
type complaint struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code     string `json:"code"`
		Required string `json:"requiredAccess"`
	} `json:"extensions"`
}

// refusal is an answer that holds errors.
type refusal struct {
	operation string
	list      []complaint
}

func (r *refusal) Error() string {
	var text []string
	for _, c := range r.list {
		text = append(text, fmt.Sprintf("%s %v: %s", c.Extensions.Code, c.Path, c.Message))
	}
	return r.operation + ": " + strings.Join(text, "; ")
}

func (r *refusal) has(code string) bool {
	for _, c := range r.list {
		if c.Extensions.Code == code {
			return true
		}
	}
	return false
}

// later reports whether the same may be asked again in a while. Of what writes
// only that the shop did nothing of: after an error inside it nobody knows.
func (r *refusal) later(write bool) bool {
	for _, c := range r.list {
		switch c.Extensions.Code {
		case codeThrottled:
		case codeInternal, codeTimeout:
			if write {
				return false
			}
		default:
			return false
		}
	}
	return len(r.list) > 0
}

// complaintOf is the first error that belongs to a code.
func (r *refusal) complaintOf(code string) complaint {
	for _, c := range r.list {
		if c.Extensions.Code == code {
			return c
		}
	}
	return r.list[0]
}

// tooCostly reports whether an operation asked for more than one may.
func tooCostly(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.has(codeCostly)
}

// rights finds the names of access scopes in what Shopify writes.
var rights = regexp.MustCompile(`\b(?:read|write)_[a-z_]+\b`)

// protected is how Shopify words that an app may not see people's names,
// addresses, e-mail addresses or telephone numbers.
var protected = regexp.MustCompile(`(?i)not approved to (?:access|use)|protected.customer.data`)

// coded turns what went wrong into an [app.Error]. It returns nil for nil.
func (c *client) coded(ctx context.Context, err error) error {
	var known *app.Error
	var refused *refusal
	var status *rest.StatusError
	var key *errKey
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return &app.Error{Code: app.CodeCanceled, Op: "shopify: ask", Err: err}
	case errors.As(err, &key):
		return c.failed(app.CodeSourceDenied, err).With("user", c.cfg.shop)
	case errors.As(err, &refused):
		return c.refused(refused)
	case errors.As(err, &status):
		return c.status(status)
	}
	return c.failed(app.CodeSourceOffline, err)
}

func (c *client) failed(code app.Code, err error) *app.Error {
	return (&app.Error{Code: code, Op: "shopify: ask", Err: err}).With("where", c.cfg.shop+domain)
}

// refused tells the errors of a GraphQL answer apart. The cause stays in the
// tree, for those who can ask for less.
func (c *client) refused(r *refusal) error {
	switch {
	case r.has(codeThrottled):
		return c.failed(app.CodeSourceBusy, r)
	case r.has(codeInactive):
		return c.failed(app.CodeShopFrozen, r)
	case r.has(codeDenied):
		said := r.complaintOf(codeDenied)
		if protected.MatchString(said.Message) {
			return c.failed(app.CodeShopRedacted, r).With("right", "protected customer data")
		}
		return c.failed(app.CodeShopScope, r).With("right", strings.Join(scopesIn(said.Extensions.Required+" "+said.Message), ", "))
	}
	return c.failed(app.CodeShopAnswer, r)
}

func scopesIn(text string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range rights.FindAllString(text, -1) {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// status tells the answers of what stands before GraphQL apart.
func (c *client) status(s *rest.StatusError) error {
	code := app.CodeShopAnswer
	switch s.Status {
	case http.StatusUnauthorized:
		return c.failed(app.CodeSourceDenied, s).With("user", c.cfg.shop)
	case http.StatusPaymentRequired, http.StatusLocked:
		code = app.CodeShopFrozen
	case http.StatusForbidden:
		if found := scopesIn(string(s.Body)); len(found) > 0 && !html(s.Body) {
			return c.failed(app.CodeShopScope, s).With("right", strings.Join(found, ", "))
		}
		if !html(s.Body) {
			return c.failed(app.CodeSourceDenied, s).With("user", c.cfg.shop)
		}
	case http.StatusNotFound:
		code = app.CodeSourceGone
	case http.StatusTooManyRequests:
		code = app.CodeSourceBusy
	}
	return c.failed(code, s).With("status", strconv.Itoa(s.Status))
}

// html reports whether an answer is a page for people.
func html(body []byte) bool { return strings.HasPrefix(strings.TrimSpace(string(body)), "<") }

func notAnAnswer(a *rest.Answer, what string) error {
	return app.Errorf(app.CodeShopAnswer, "shopify: ask", "status %d: %s", a.Status, what).With("status", strconv.Itoa(a.Status))
}
