// Package ipc carries [app.Service] over a local socket that only the owner's
// account can open: HTTP with JSON, one path a method, and a stream of whole
// statuses. It knows nothing of what the methods do.
package ipc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"kvart/app"
)

// protocol is the wire's number. Guard and window ship together: a mismatch
// only means that one of them has yet to be restarted.
const protocol = 1

// Headers of a request.
const (
	headerBuild    = "Kvart-Build"
	headerProtocol = "Kvart-Protocol"
)

// pieceBytes of a file travel at a time.
const pieceBytes = 256 << 10

// maxRequest bounds a request's document, in bytes.
const maxRequest = 1 << 20

// Hello is what a guard says of itself to a client of any version.
type Hello struct {
	Protocol int    `json:"protocol"`
	Build    string `json:"build"`
	PID      int    `json:"pid"`
}

// envelope carries a request, and beside it the secrets that its own document
// never holds.
type envelope struct {
	Request json.RawMessage   `json:"request"`
	Secrets map[string]string `json:"secrets,omitempty"`
}

// pack makes the body of a request.
func pack(req any) ([]byte, error) {
	doc, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	e := envelope{Request: doc}
	if b, ok := req.(app.SecretBearer); ok {
		e.Secrets = map[string]string{}
		for k, s := range *b.Carried() {
			e.Secrets[k] = s.Reveal()
		}
	}
	return json.Marshal(e)
}

// unpack reads the body of a request into req, a pointer.
func unpack(r io.Reader, req any) error {
	var e envelope
	if err := json.NewDecoder(io.LimitReader(r, maxRequest)).Decode(&e); err != nil {
		return app.Errorf(app.CodeUsage, "decode request", "%w", err)
	}
	if err := json.Unmarshal(e.Request, req); err != nil {
		return app.Errorf(app.CodeUsage, "decode request", "%w", err)
	}
	if b, ok := req.(app.SecretBearer); ok {
		secrets := app.Secrets{}
		for k, s := range e.Secrets {
			secrets[k] = app.NewSecret(s)
		}
		*b.Carried() = secrets
	}
	return nil
}

// answer is the body of a response, or one line of a stream.
type answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error *app.Error      `json:"error,omitempty"`
}

func encode(v any, err error) (answer, int) {
	if err != nil {
		return answer{Error: app.AsError(err)}, http.StatusConflict
	}
	b, err := json.Marshal(v)
	if err != nil {
		return answer{Error: app.AsError(fmt.Errorf("encode answer: %w", err))}, http.StatusInternalServerError
	}
	return answer{Value: b}, http.StatusOK
}
