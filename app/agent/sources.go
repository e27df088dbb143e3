package agent

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
)

// Discover implements [app.SourceService]. What is set up already is left out.
func (a *Agent) Discover(ctx context.Context) ([]app.Found, error) {
	found, err := a.Connectors.Discover(ctx)
	if err != nil {
		return nil, err
	}
	known := a.Store.Document().Sources
	return slices.DeleteFunc(found, func(f app.Found) bool {
		c, err := a.Connectors.Connector(f.Kind)
		return err == nil && slices.ContainsFunc(known, func(s app.Source) bool {
			return s.Kind == f.Kind && samePlace(c.Spec(), s.Settings, f.Settings)
		})
	}), nil
}

// AddSource implements [app.SourceService].
func (a *Agent) AddSource(ctx context.Context, r app.AddSourceRequest) (app.Source, error) {
	c, err := a.Connectors.Connector(r.Kind)
	if err != nil {
		return app.Source{}, err
	}
	r.Name = strings.TrimSpace(r.Name)
	if r.Name == "" {
		return app.Source{}, app.Errorf(app.CodeUsage, "add source", "a source needs a name").With("field", "name")
	}
	h, access, err := prepare(c, r)
	if err != nil {
		return app.Source{}, err
	}
	if _, err := a.Store.Document().source(r.Name); err == nil {
		return app.Source{}, app.Errorf(app.CodeSourceExists, "add source", "there is a source %q", r.Name).With("source", r.Name)
	}
	taken, err := a.idsInUse(ctx)
	if err != nil {
		return app.Source{}, err
	}
	access.Source.ID, access.Source.AddedAt = newSourceID(r.Name, a.mark(), func(id app.SourceID) bool { return taken[id] }), a.Now()
	s := access.Source
	if err := a.makeUser(ctx, c, h, access); err != nil {
		return app.Source{}, err
	}
	if err := h.proved(ctx, c, access); err != nil {
		return app.Source{}, err
	}
	for k, sec := range access.Secrets {
		if err := a.Secrets.SetSecret(ctx, sourceKey(s.ID, k), sec); err != nil {
			return app.Source{}, err
		}
	}
	err = a.Store.Update(func(d *Document) error {
		if _, err := d.source(s.Name); err == nil {
			return app.Errorf(app.CodeSourceExists, "add source", "there is a source %q", s.Name).With("source", s.Name)
		}
		d.Sources = append(d.Sources, s)
		return nil
	})
	a.bus.poke()
	return s, err
}

// prepare reads a new source from a request, with the user that h is to make.
func prepare(c app.Connector, r app.AddSourceRequest) (h helper, access app.Access, err error) {
	h, settings, secrets, err := helperOf(c, r.Admin, r.Restoring, filled(c.Spec(), r.Settings), r.Secrets)
	if err != nil {
		return h, access, err
	}
	access = app.Access{Source: app.Source{Name: r.Name, Kind: r.Kind, Settings: settings}, Secrets: secrets}
	if err := c.Spec().CheckPlain(settings); err != nil {
		return h, access, err
	}
	return h, access, c.Spec().CheckSettings(settings, secrets)
}

// TrySource implements [app.SourceService].
func (a *Agent) TrySource(ctx context.Context, r app.AddSourceRequest) (app.SourceInfo, error) {
	c, err := a.Connectors.Connector(r.Kind)
	if err != nil {
		return app.SourceInfo{}, err
	}
	h, access, err := prepare(c, r)
	if err != nil {
		return app.SourceInfo{}, err
	}
	return c.Check(ctx, h.access(access))
}

// mark tells this computer's sources from those of the others that share the
// vault; "" on the computer that made it.
func (a *Agent) mark() string {
	if d := a.Store.Document(); d.Vault != nil && d.Vault.Joined {
		return d.Profile[:min(len(d.Profile), 6)]
	}
	return ""
}

// idsInUse returns the IDs of sources that are set up or have points in the
// vault: a new source must never go on in the history of an old one.
func (a *Agent) idsInUse(ctx context.Context) (map[app.SourceID]bool, error) {
	ids := map[app.SourceID]bool{}
	d := a.Store.Document()
	for _, s := range d.Sources {
		ids[s.ID] = true
	}
	if d.Vault == nil {
		return ids, nil
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	points, err := v.Points(ctx, app.PointFilter{})
	if err != nil {
		return nil, err
	}
	for _, p := range points {
		ids[p.Source] = true
	}
	return ids, nil
}

// RemoveSource implements [app.SourceService].
func (a *Agent) RemoveSource(ctx context.Context, nameOrID string) error {
	s, err := a.Store.Document().source(nameOrID)
	if err != nil {
		return err
	}
	for _, j := range a.running() {
		if slices.Contains(j.sources, s.ID) {
			j.cancel() // a run that finds its source gone would only report it
		}
	}
	err = a.Store.Update(func(d *Document) error {
		d.Sources = slices.DeleteFunc(d.Sources, func(o app.Source) bool { return o.ID == s.ID })
		return nil
	})
	if err != nil {
		return err
	}
	if c, err := a.Connectors.Connector(s.Kind); err == nil {
		for _, f := range c.Spec().Fields {
			if f.Type != app.FieldSecret {
				continue
			}
			if err := a.Secrets.DeleteSecret(ctx, sourceKey(s.ID, f.Key)); err != nil {
				a.Log.WarnContext(ctx, "Secret not deleted", "source", s.ID, "error", err)
			}
		}
		if f, ok := c.(app.Forgetter); ok {
			if err := f.Forget(ctx, s); err != nil {
				a.Log.WarnContext(ctx, "What was kept about the source is not deleted", "source", s.ID, "error", err)
			}
		}
	}
	a.bus.poke()
	return nil
}

// changed returns a source and what opens it as they would be after a change.
func (a *Agent) changed(ctx context.Context, s app.Source, spec app.KindSpec, r app.ChangeSourceRequest) (app.Access, error) {
	access := app.Access{Source: s, Secrets: app.Secrets{}}
	if err := spec.CheckPlain(r.Settings); err != nil {
		return access, err
	}
	access.Source.Settings = map[string]string{}
	maps.Copy(access.Source.Settings, s.Settings)
	maps.Copy(access.Source.Settings, r.Settings)
	for _, f := range spec.Fields {
		if f.Type != app.FieldSecret {
			continue
		}
		sec, given := r.Secrets[f.Key]
		if !given {
			var err error
			if sec, err = a.Secrets.Secret(ctx, sourceKey(s.ID, f.Key)); err != nil && app.CodeOf(err) != app.CodeSecretMissing {
				return access, err
			}
		}
		if !sec.IsZero() {
			access.Secrets[f.Key] = sec
		}
	}
	for k := range r.Secrets {
		if f, ok := spec.Field(k); !ok || f.Type != app.FieldSecret {
			return access, app.Errorf(app.CodeUsage, "change source", "%s has no secret %q", s.Kind, k).With("field", k)
		}
	}
	return access, spec.CheckSettings(access.Source.Settings, access.Secrets)
}

// ChangeSource implements [app.SourceService].
func (a *Agent) ChangeSource(ctx context.Context, r app.ChangeSourceRequest) (app.Source, error) {
	s, err := a.Store.Document().source(r.Source)
	if err != nil {
		return app.Source{}, err
	}
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return app.Source{}, err
	}
	h, settings, secrets, err := helperOf(c, r.Admin, r.Restoring, r.Settings, r.Secrets)
	if err != nil {
		return app.Source{}, err
	}
	r.Settings, r.Secrets = settings, secrets
	access, err := a.changed(ctx, s, c.Spec(), r)
	if err != nil {
		return app.Source{}, err
	}
	if err := a.makeUser(ctx, c, h, access); err != nil {
		return app.Source{}, err
	}
	if err := h.proved(ctx, c, access); err != nil {
		return app.Source{}, err
	}
	for k, sec := range r.Secrets {
		if err := a.Secrets.SetSecret(ctx, sourceKey(s.ID, k), sec); err != nil {
			return app.Source{}, err
		}
	}
	err = a.Store.Update(func(d *Document) error {
		for i := range d.Sources {
			if d.Sources[i].ID == s.ID {
				d.Sources[i].Settings = access.Source.Settings
			}
		}
		return nil
	})
	a.noteChange(ctx, s.ID)
	if err == nil {
		// the marker speaks of where the source was before
		err = a.Journal.ForgetPlace(ctx, s.ID)
	}
	a.bus.poke()
	return access.Source, err
}

// CheckSource implements [app.SourceService].
func (a *Agent) CheckSource(ctx context.Context, nameOrID string) (app.SourceInfo, error) {
	s, err := a.Store.Document().source(nameOrID)
	if err != nil {
		return app.SourceInfo{}, err
	}
	c, access, err := a.access(ctx, s)
	if err != nil {
		return app.SourceInfo{}, err
	}
	return c.Check(ctx, access)
}

// access returns a source's connector and what opens it.
func (a *Agent) access(ctx context.Context, s app.Source) (app.Connector, app.Access, error) {
	access := app.Access{Source: s, Secrets: app.Secrets{}}
	access.Newest = func(ctx context.Context) (app.PointFS, error) { return a.newestView(ctx, s.ID) }
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return nil, access, err
	}
	for _, f := range c.Spec().Fields {
		if f.Type != app.FieldSecret {
			continue
		}
		sec, err := a.Secrets.Secret(ctx, sourceKey(s.ID, f.Key))
		if err != nil && (f.Required || app.CodeOf(err) != app.CodeSecretMissing) {
			return nil, access, err
		}
		access.Secrets[f.Key] = sec
	}
	access.Source.Settings = a.withoutOurselves(c.Spec(), s.Settings)
	return c, access, nil
}

// withoutOurselves returns settings that leave the guard's own data and a
// vault folder out of a folder that holds them: backing those up would grow
// without end.
func (a *Agent) withoutOurselves(spec app.KindSpec, settings map[string]string) map[string]string {
	if _, ok := spec.Field("exclude"); !ok {
		return settings
	}
	own := []string{a.Dir}
	if v := a.Store.Document().Vault; v != nil && v.Kind == "folder" {
		own = append(own, v.Settings["path"])
	}
	out := maps.Clone(settings)
	for _, dir := range own {
		rel, err := filepath.Rel(settings["path"], dir)
		if err != nil || rel == "." || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue
		}
		out["exclude"] = strings.TrimLeft(out["exclude"]+"\n/"+filepath.ToSlash(rel), "\n")
	}
	return out
}
