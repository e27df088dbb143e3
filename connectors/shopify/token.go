package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// renewBefore is how long before its end a token is renewed, so that none ends
// under way.
const renewBefore = 10 * time.Minute

// tokens gets the token that opens the shop and keeps it in memory only. It is
// safe for concurrent use.
type tokens struct {
	key  key
	shop string
	rest *rest.Client // without authorization
	now  func() time.Time

	mu    sync.Mutex
	token app.Secret
	until time.Time // zero for a token that doesn't end
}

// errKey is a key that the shop refused.
type errKey struct{ reason string }

func (e *errKey) Error() string { return "the shop refused the key: " + e.reason }

// current returns a token that is good for some minutes.
func (t *tokens) current(ctx context.Context) (app.Secret, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.key.token.IsZero() {
		return t.key.token, nil
	}
	if !t.token.IsZero() && t.now().Add(renewBefore).Before(t.until) {
		return t.token, nil
	}
	return t.renewLocked(ctx)
}

// again returns another token than the one refused, or an error when there is
// none to be had.
func (t *tokens) again(ctx context.Context, refused app.Secret) (app.Secret, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.key.token.IsZero() {
		return app.Secret{}, &errKey{"the token is not, or no longer, good"}
	}
	if t.token != refused && !t.token.IsZero() {
		return t.token, nil
	}
	return t.renewLocked(ctx)
}

func (t *tokens) renewLocked(ctx context.Context) (app.Secret, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.key.clientID}, "client_secret": {t.key.secret.Reveal()}}
	answer, err := t.rest.Do(ctx, rest.Request{
		Method: http.MethodPost, Path: "/admin/oauth/access_token", Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Again: never,
	})
	var status *rest.StatusError
	if errors.As(err, &status) && (status.Status == http.StatusBadRequest || status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden) {
		var said struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(status.Body, &said) == nil && said.Error != "" {
			return app.Secret{}, &errKey{said.Error}
		}
	}
	if err != nil {
		return app.Secret{}, err
	}
	var got struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(answer.Body, &got); err != nil || got.Token == "" {
		return app.Secret{}, app.Errorf(app.CodeShopAnswer, "shopify: get token", "no token in the answer")
	}
	t.token = app.NewSecret(got.Token)
	t.until = t.now().Add(time.Duration(got.Seconds) * time.Second)
	if got.Seconds == 0 {
		t.until = t.now().Add(time.Hour)
	}
	return t.token, nil
}

// never marks a request that may be sent again when no answer came, and whose
// answers never mean "later".
func never(*rest.Answer) (time.Duration, bool) { return 0, false }
