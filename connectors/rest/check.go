package rest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"kvart/app"
)

// Check implements [app.Connector]: one look at the shop. What the key can't
// read is in the details, "missing", by kind.
func (e *Engine) Check(ctx context.Context, a app.Access) (app.SourceInfo, error) {
	shop, err := e.platform.Open(ctx, a, false)
	if err != nil {
		return app.SourceInfo{}, err
	}
	p, err := shop.Probe(ctx)
	if err != nil {
		return app.SourceInfo{}, canceled(ctx, err)
	}
	if c, ok := shop.(Checker); ok {
		if err := c.Try(ctx, &p); err != nil {
			return app.SourceInfo{}, canceled(ctx, err)
		}
	}
	info := app.SourceInfo{Changed: e.o.Now(), Details: map[string]string{}}
	maps.Copy(info.Details, p.Details)
	if p.Version != "" {
		info.Details["version"] = p.Version
	}
	if p.Name != "" {
		info.Details["shop"] = p.Name
	}
	var missing, rights []string
	for _, k := range e.kinds {
		bad := p.Kinds[k.Name]
		if bad == nil || bad.Code == app.CodeKindMissing {
			continue
		}
		missing = append(missing, k.Name)
		if r := bad.Args["right"]; r != "" && !slices.Contains(rights, r) {
			rights = append(rights, r)
		}
	}
	if len(missing) > 0 {
		info.Details["missing"] = strings.Join(missing, ", ")
	}
	if len(rights) > 0 {
		info.Details["rights"] = strings.Join(rights, ", ")
	}
	return info, nil
}
