package shopify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault makes the shop fail. It is used up when it has happened Times times; 0
// means for as long as it is there.
type Fault struct {
	// Operation is the name of the operation that fails; "" means any, "token"
	// the request for one, "file" the fetching of a file.
	Operation string
	// After lets so many requests pass first.
	After int
	Times int

	Status  int               // answers with this status and Body
	Body    string            // "<html>…" or a JSON text
	Header  map[string]string // of that answer
	Cut     bool              // ends the connection in the middle of the answer
	Code    string            // answers with a GraphQL error of this code, "THROTTLED"
	Message string            // of that error
	Path    []any             // of that error; the rest of the data comes along
	Blank   string            // answers with this field null wherever it is: "Customer.firstName"
	Empty   bool              // answers with empty lists
	Then    func()            // is called when it happened, without any lock held
}

// Fail adds a fault and returns what takes it away.
func (s *Shop) Fail(f Fault) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, x := range s.faults {
			if x == &f {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
				return
			}
		}
	}
}

// fault returns what shall go wrong with a request, nil for nothing.
func (s *Shop) fault(operation string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != operation {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return f
	}
	return nil
}

func (s *Shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/oauth/access_token", s.giveToken)
	mux.HandleFunc("POST /admin/api/{version}/graphql.json", s.graphql)
	mux.HandleFunc("GET /files/{name...}", s.file)
	mux.HandleFunc("POST /upload/{name...}", s.upload)
	mux.HandleFunc("PUT /upload/{name...}", s.upload)
	return mux
}

func (s *Shop) giveToken(w http.ResponseWriter, r *http.Request) {
	s.note(Call{Operation: "token", Kind: "token"})
	if s.answerFault(w, s.fault("token")) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("client_id") != s.clientID || r.PostFormValue("client_secret") != s.secret {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"Client authentication failed"}`)
		return
	}
	s.tokens++
	s.token = "shpat_" + strconv.Itoa(s.tokens)
	s.tokenEnd = s.clock().Add(24 * time.Hour)
	fmt.Fprintf(w, `{"access_token":%q,"scope":"","expires_in":86399}`, s.token)
}

// Tokens is how many tokens were given out.
func (s *Shop) Tokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

func (s *Shop) note(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, c)
}

// answerFault answers in the way the fault says, where that is a way of HTTP.
func (s *Shop) answerFault(w http.ResponseWriter, f *Fault) bool {
	if f == nil || f.Status == 0 {
		return false
	}
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	if strings.HasPrefix(f.Body, "<") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	w.WriteHeader(f.Status)
	fmt.Fprint(w, f.Body)
	if f.Then != nil {
		f.Then()
	}
	return true
}

func (s *Shop) graphql(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Query     string         `json:"query"`
		Operation string         `json:"operationName"`
		Variables map[string]any `json:"variables"`
	}
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	if err := d.Decode(&ask); err != nil {
		http.Error(w, `{"errors":"bad request"}`, http.StatusBadRequest)
		return
	}
	f := s.fault(ask.Operation)
	if s.answerFault(w, f) {
		return
	}
	s.mu.Lock()
	known := r.Header.Get("X-Shopify-Access-Token") == s.token && (s.tokenEnd.IsZero() || s.clock().Before(s.tokenEnd))
	version := s.version
	s.mu.Unlock()
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}`)
		return
	}
	answer := s.execute(ask.Query, ask.Operation, numbers(ask.Variables), f)
	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Shopify-Api-Version", version)
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	if f != nil && f.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	_, _ = w.Write(body) // who asked may have gone
	if f != nil && f.Then != nil {
		f.Then()
	}
}

// numbers turns the numbers of variables into int64 or float64.
func numbers(v map[string]any) map[string]any {
	out, _ := plain(v).(map[string]any)
	return out
}

func plain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[k] = plain(e)
		}
		return m
	case []any:
		l := make([]any, len(x))
		for i, e := range x {
			l[i] = plain(e)
		}
		return l
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		f, err := x.Float64()
		if err != nil {
			return x.String()
		}
		return f
	}
	return v
}

// file serves what bulk operations wrote and what was uploaded. It is public: a
// key shown to it is a mistake.
func (s *Shop) file(w http.ResponseWriter, r *http.Request) {
	s.note(Call{Operation: "file", Kind: "file"})
	f := s.fault("file")
	if s.answerFault(w, f) {
		return
	}
	if r.Header.Get("X-Shopify-Access-Token") != "" {
		http.Error(w, "a key has no business here", http.StatusTeapot)
		return
	}
	s.mu.Lock()
	body, ok := s.uploads[r.PathValue("name")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	if f != nil && f.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	_, _ = w.Write(body) // who asked may have gone
}

func (s *Shop) upload(w http.ResponseWriter, r *http.Request) {
	var body []byte
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		part, _, ferr := r.FormFile("file")
		if ferr != nil {
			http.Error(w, ferr.Error(), http.StatusBadRequest)
			return
		}
		body, err = io.ReadAll(part)
	} else {
		body, err = io.ReadAll(r.Body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads["up/"+r.PathValue("name")] = body
	w.WriteHeader(http.StatusCreated)
}

// PutFile puts a file where the shop's files lie and returns its address.
func (s *Shop) PutFile(name string, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[name] = body
	return s.at + "/files/" + name
}
