package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"kvart/app"
)

// Server answers for an [app.Service].
type Server struct {
	Service app.Service
	Build   string
	Quit    func() // asks the guard to end
	Log     *slog.Logger
}

// Serve answers on ln until ctx ends, and waits for the answers under way.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ownListener{ln, s.Log}) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// requests see ctx end; those that don't heed it are cut off
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if serveErr := <-done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/hello", func(w http.ResponseWriter, r *http.Request) {
		s.reply(w, r, Hello{protocol, s.Build, os.Getpid()}, nil)
	})
	mux.HandleFunc("POST /v1/quit", func(w http.ResponseWriter, r *http.Request) {
		s.reply(w, r, struct{}{}, nil)
		s.Quit()
	})
	for name, h := range s.methods() {
		mux.Handle("POST /v1/"+name, s.sameVersion(h))
	}
	return mux
}

// sameVersion refuses clients of another version: what they mean might be
// something else here.
func (s *Server) sameVersion(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, p := r.Header.Get(headerBuild), r.Header.Get(headerProtocol); b != s.Build || p != strconv.Itoa(protocol) {
			s.reply(w, r, nil, app.Errorf(app.CodeGuardVersion, "answer", "client is %q (protocol %q), guard is %q (%d)", b, p, s.Build, protocol))
			return
		}
		h(w, r)
	})
}

func (s *Server) reply(w http.ResponseWriter, r *http.Request, v any, err error) {
	a, status := encode(v, err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(a); err != nil {
		s.Log.DebugContext(r.Context(), "Answer not sent", "path", r.URL.Path, "error", err)
	}
}

// call makes a handler of one method.
func call[Req, Resp any](s *Server, f func(context.Context, Req) (Resp, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req Req
		if err := unpack(r.Body, &req); err != nil {
			s.reply(w, r, nil, err)
			return
		}
		v, err := f(r.Context(), req)
		s.reply(w, r, v, err)
	}
}

// noAnswer makes a method that only fails or not answer something.
func noAnswer[Req any](f func(context.Context, Req) error) func(context.Context, Req) (none, error) {
	return func(ctx context.Context, r Req) (none, error) { return none{}, f(ctx, r) }
}

// noQuestion makes a method without a request take one.
func noQuestion[Resp any](f func(context.Context) (Resp, error)) func(context.Context, none) (Resp, error) {
	return func(ctx context.Context, _ none) (Resp, error) { return f(ctx) }
}

// nothing makes a method that is only called, and only fails or not, one with
// both.
func nothing(f func(context.Context) error) func(context.Context, none) (none, error) {
	return func(ctx context.Context, _ none) (none, error) { return none{}, f(ctx) }
}

// none is a request or an answer that says nothing.
type none struct{}

func (s *Server) methods() map[string]http.HandlerFunc {
	v := s.Service
	return map[string]http.HandlerFunc{
		"status":            call(s, noQuestion(v.Status)),
		"watch":             s.watch,
		"forms":             call(s, noQuestion(v.Forms)),
		"probe-storage":     call(s, v.ProbeStorage),
		"create-vault":      call(s, v.CreateVault),
		"open-vault":        call(s, v.OpenVault),
		"start-verify":      call(s, v.StartVerify),
		"start-maintain":    call(s, noQuestion(v.StartMaintain)),
		"make-kit":          call(s, v.MakeKit),
		"confirm-kit":       call(s, v.ConfirmKit),
		"invite":            call(s, v.Invite),
		"start-check":       call(s, noQuestion(v.StartCheck)),
		"start-repair":      call(s, noQuestion(v.StartRepair)),
		"prove-lock":        call(s, noQuestion(v.ProveLock)),
		"add-copy":          call(s, v.AddCopy),
		"remove-copy":       call(s, noAnswer(v.RemoveCopy)),
		"start-copy":        call(s, v.StartCopy),
		"change-passphrase": call(s, noAnswer(v.ChangePassphrase)),
		"computers":         call(s, noQuestion(v.Computers)),
		"rewind":            call(s, nothing(v.Rewind)),
		"step-in":           call(s, nothing(v.StepIn)),
		"change-source":     call(s, v.ChangeSource),
		"arrange-source":    call(s, v.ArrangeSource),
		"discover":          call(s, noQuestion(v.Discover)),
		"add-source":        call(s, v.AddSource),
		"remove-source":     call(s, noAnswer(v.RemoveSource)),
		"check-source":      call(s, v.CheckSource),
		"try-source":        call(s, v.TrySource),
		"rights":            call(s, v.Rights),
		"approval":          call(s, v.Approval),
		"start-backup":      call(s, v.StartBackup),
		"start-drill":       call(s, v.StartDrill),
		"wait":              call(s, v.Wait),
		"cancel":            call(s, noAnswer(v.Cancel)),
		"pause":             call(s, noAnswer(v.Pause)),
		"points":            call(s, v.Points),
		"day":               call(s, v.Day),
		"list":              call(s, v.List),
		"cat":               stream(s, v.Cat),
		"export":            stream(s, v.Export),
		"diff":              call(s, v.Diff),
		"shelves":           call(s, v.Shelves),
		"records":           call(s, v.Records),
		"record":            call(s, v.Record),
		"plan-restore":      call(s, v.PlanRestore),
		"start-restore":     call(s, v.StartRestore),
		"start-undo":        call(s, v.StartUndo),
		"restores":          call(s, noQuestion(v.Restores)),
		"settings":          call(s, noQuestion(v.Settings)),
		"set-settings":      call(s, noAnswer(v.SetSettings)),
		"updates":           call(s, noQuestion(v.Updates)),
		"set-updates":       call(s, v.SetUpdates),
		"check-update":      call(s, noQuestion(v.CheckUpdate)),
		"start-update":      call(s, noQuestion(v.StartUpdate)),
		"setup-draft":       call(s, noQuestion(v.SetupDraft)),
		"set-setup-draft":   call(s, noAnswer(v.SetSetupDraft)),
		"support":           call(s, noQuestion(v.Support)),
		"answer-unusual":    call(s, v.AnswerUnusual),
		"unusuals":          call(s, noQuestion(v.Unusuals)),
		"watch-settings":    call(s, noQuestion(v.WatchSettings)),
		"set-watch":         call(s, v.SetWatch),
		"test-alert":        call(s, noAnswer(v.TestAlert)),
		"test-storefront":   call(s, noQuestion(v.TestStorefront)),
		"uptime":            call(s, noQuestion(v.Uptime)),
		"drills":            call(s, v.Drills),
		"peak-days":         call(s, noQuestion(v.PeakDays)),
		"readiness":         call(s, noQuestion(v.Readiness)),
		"prove-shop":        call(s, noQuestion(v.ProveShop)),
		"start-capacity":    call(s, v.StartCapacity),
		"capacities":        call(s, noQuestion(v.Capacities)),
		"capacity-report":   call(s, v.CapacityReport),
		"start-incident":    call(s, v.StartIncident),
		"incident":          call(s, noQuestion(v.Incident)),
		"wait-incident":     call(s, noQuestion(v.WaitIncident)),
		"tick-step":         call(s, v.TickStep),
		"close-incident":    call(s, noQuestion(v.CloseIncident)),
		"incidents":         call(s, noQuestion(v.Incidents)),
		"incident-report":   call(s, v.IncidentReport),
		"playbooks":         call(s, noQuestion(v.Playbooks)),
		"playbook-paper":    call(s, v.PlaybookPaper),
		"contacts":          call(s, noQuestion(v.Contacts)),
		"set-contacts":      call(s, noAnswer(v.SetContacts)),
		"messages":          call(s, v.Messages),
		"page-settings":     call(s, noQuestion(v.PageSettings)),
		"write-page":        call(s, v.WritePage),
		"candidates":        call(s, v.Candidates),
		"search":            call(s, v.Search),
	}
}

// watch streams whole statuses, one a line.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	out, flush := json.NewEncoder(w), http.NewResponseController(w)
	send := func(v any, err error) error {
		a, _ := encode(v, err)
		if err := out.Encode(a); err != nil {
			return err
		}
		return flush.Flush()
	}
	err := s.Service.Watch(r.Context(), func(st app.Status) error { return send(st, nil) })
	if err == nil || r.Context().Err() != nil {
		return // the client went, or the guard ends: the line closes
	}
	if err := send(nil, err); err != nil {
		s.Log.DebugContext(r.Context(), "Watcher gone", "error", err)
	}
}

// stream makes a handler of a method that answers with bytes. How many is not
// known beforehand; a failure in the middle cuts the line, which the client sees
// as one.
func stream[Req any](s *Server, f func(context.Context, Req) (io.ReadCloser, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req Req
		if err := unpack(r.Body, &req); err != nil {
			s.reply(w, r, nil, err)
			return
		}
		body, err := f(r.Context(), req)
		if err != nil {
			s.reply(w, r, nil, err)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		// in large pieces, which the response's own way to copy does not use
		_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{body}, make([]byte, pieceBytes))
		if err = errors.Join(err, body.Close()); err != nil {
			s.Log.WarnContext(r.Context(), "Not sent whole", "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler) // the documented way to cut an answer off
		}
	}
}
