package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"kvart/app"
	"kvart/app/agent"
	"kvart/app/agent/journal"
	"kvart/app/autostart"
	"kvart/app/config"
	"kvart/app/ipc"
	"kvart/app/kit"
	"kvart/app/logging"
	"kvart/app/notify"
	"kvart/app/power"
	"kvart/app/proxy"
	"kvart/app/recovery"
	"kvart/app/secrets"
	"kvart/app/watch"
	"kvart/assets"
	"kvart/backup"
	"kvart/connectors/all"
)

// with does a verb's work: through the guard that is running or, where none
// runs, by itself.
func (c *command) with(ctx context.Context, work func(context.Context, app.Service) error) error {
	socket, err := ipc.SocketPath(c.data, os.TempDir())
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		client := ipc.Dial(socket, app.Version)
		_, err := client.Hello(ctx)
		if err == nil {
			defer client.Close()
			return work(ctx, client)
		}
		if app.CodeOf(err) != app.CodeGuardOffline {
			return err
		}
		own, err := newGuard(ctx, c.data, nil)
		if err == nil {
			err = work(ctx, own.agent)
			return errors.Join(err, own.close(context.WithoutCancel(ctx)))
		}
		// somebody has the folder but does not answer yet: a guard that is
		// starting, or another command doing its own work
		if app.CodeOf(err) != app.CodeGuardRunning || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return app.Errorf(app.CodeCanceled, "wait for data folder", "%w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// guard is everything an agent is wired to.
type guard struct {
	agent  *agent.Agent
	log    *logging.Log
	unlock func() error
}

// newGuard takes the data folder and builds an agent on it. stderr may be nil.
func newGuard(ctx context.Context, dir string, stderr *os.File) (g *guard, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "find data folder", "%w", err).With("path", dir)
	}
	unlock, err := ipc.Lock(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unlock())
		}
	}()
	log, err := openLog(dir, stderr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, log.Close())
		}
	}()
	if err := proxy.Adopt(ctx, os.Getenv, os.Setenv); err != nil {
		log.Logger().WarnContext(ctx, "System's proxy not known", "error", err)
	}
	share := app.OnShare(dir) == app.KnownYes
	if share {
		log.Logger().WarnContext(ctx, "Data folder lies on a network drive", "path", dir)
	}
	a, err := newAgent(ctx, dir, share, log)
	if err != nil {
		return nil, err
	}
	return &guard{a, log, unlock}, nil
}

func openLog(dir string, stderr *os.File) (*logging.Log, error) {
	level := slog.LevelInfo
	if os.Getenv("KVART_LOG") == "debug" {
		level = slog.LevelDebug
	}
	if stderr == nil {
		return logging.Open(dir, level, nil)
	}
	return logging.Open(dir, level, stderr)
}

func newAgent(ctx context.Context, dir string, share bool, log *logging.Log) (*agent.Agent, error) {
	logger := log.Logger()
	store, err := config.Open(filepath.Join(dir, "settings.json"), agent.NewDocument, agent.CheckDocument)
	if err != nil {
		return nil, err
	}
	if err := agent.BringUpToDate(store); err != nil {
		return nil, err
	}
	keys, err := secrets.Open(ctx, dir, logger)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, app.Errorf(app.CodeInternal, "find own program", "%w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = app.Name // a name for the owner; nothing hangs on it
	}
	books, err := recovery.Load()
	if err != nil {
		return nil, err
	}
	openJournal := journal.Open
	if share {
		openJournal = journal.OpenOnShare
	}
	j, err := openJournal(ctx, dir, logger)
	if err != nil {
		return nil, err
	}
	vaults := backup.New(logger)
	feed, err := assets.UpdateFeed()
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return agent.New(ctx, agent.Config{
		Dir: dir, OnShare: share, Build: app.Version,
		Vaults: vaults, Connectors: all.Registry(logger, all.Options{Cache: filepath.Join(dir, "shops")}),
		Journal: j, Store: store, Secrets: hiding{keys, log}, Notifier: notify.New(logger),
		Autostart: autostart.New([]string{exe, "run"}),
		Press:     kit.New(vaults.Storages()...), Computer: host,
		NoticeWords: noticeWords(store), Log: logger,
		Lookout: watch.New(watch.Options{}),
		Updates: newUpdates(), Feed: feed,
		Power: power.New(), Recent: recent(dir, log),
		Recovery: func(h app.RecoveryHost) agent.Recovery { return books.Engine(h) },
	}), nil
}

// recentBytes of the log are shown to who helps.
const recentBytes = 256 << 10

// recent returns the log's last lines, of before this start too where the file
// can be read.
func recent(dir string, log *logging.Log) func() []string {
	return func() []string {
		lines, err := logging.Tail(dir, recentBytes)
		if err != nil {
			return log.Recent()
		}
		return lines
	}
}

// close ends the agent and gives the data folder back.
func (g *guard) close(ctx context.Context) error {
	return errors.Join(g.agent.Close(ctx), g.log.Close(), g.unlock())
}

// hiding is a secret store that keeps what passes through it out of the log.
type hiding struct {
	app.SecretStore
	log *logging.Log
}

// Secret implements [app.SecretStore].
func (h hiding) Secret(ctx context.Context, key string) (app.Secret, error) {
	s, err := h.SecretStore.Secret(ctx, key)
	if err == nil && !s.IsZero() {
		h.log.Hide(s.Reveal())
	}
	return s, err
}

// SetSecret implements [app.SecretStore].
func (h hiding) SetSecret(ctx context.Context, key string, s app.Secret) error {
	if !s.IsZero() {
		h.log.Hide(s.Reveal())
	}
	return h.SecretStore.SetSecret(ctx, key, s)
}

// wordsOf returns the texts in the language the owner chose.
func wordsOf(store agent.Store) (*assets.Words, error) {
	return assets.NewWords(store.Document().Settings.Language)
}

// noticeWords finds a notice's words: title and text by its cause, with what
// went wrong in the owner's words.
func noticeWords(store agent.Store) func(string, *app.Error) (string, string) {
	return func(cause string, e *app.Error) (string, string) {
		w, err := wordsOf(store)
		if err != nil {
			return app.Name, cause // translations are built in: a test reads them all
		}
		args := assets.Args{}
		if e != nil {
			for k, v := range e.Args {
				args[k] = v
			}
			args["reason"], _, _ = assets.ErrorWords(w, e)
			if rule := e.Args["rule"]; rule != "" {
				args["what"] = w.T("unusual."+rule, args)
			}
		}
		key := "notice." + cause
		switch {
		case cause == "restore" && e == nil:
			key = "notice.restore_done"
		case cause == "restore":
			key = "notice.restore_failed"
		case cause == "drill":
			key = "notice.drill_failed"
		}
		return w.T(key+".title", args), w.T(key+".text", args)
	}
}
