package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

type client struct {
	server, key string
	mutex       sync.Mutex
	token       string
	expires     time.Time
}

// early is how long before its end a token is replaced.
const early = 300 * time.Second

// bearer logs in by the key when there is no token, or when it is about to end. A server that says no end is asked each time.
func (c *client) bearer(ctx context.Context) (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.token != "" && (c.expires.IsZero() || time.Now().Before(c.expires)) {
		return c.token, nil
	}
	if c.key == "" {
		return "", errors.New("the API token configured for the ZenML Terraform provider has expired")
	}
	form := url.Values{"password": {c.key}}
	status, body, err := c.send(ctx, "POST", "/api/v1/login", http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
	}, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("authentication failed: login request returned status %d: %s", status, body)
	}
	var login struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &login); err != nil {
		return "", fmt.Errorf("error decoding login response: %w", err)
	}
	c.token = login.AccessToken
	c.expires = time.Now().Add(time.Duration(login.ExpiresIn)*time.Second - early)
	return c.token, nil
}

func (c *client) send(ctx context.Context, method, path string, headers http.Header, body io.Reader) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return 0, nil, err
	}
	request.Header = headers
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("error making request: %w", err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return response.StatusCode, read, err
}

// refusal is an answer that is not 2xx.
type refusal struct {
	status int
	body   []byte
}

func (r refusal) Error() string {
	return fmt.Sprintf("API request failed with status %d: %s", r.status, r.body)
}

// ask sends a request and reads its answer, strictly as to types.
func ask[Answer any](ctx context.Context, method, path string, body any) (*Answer, error) {
	token, err := api.bearer(ctx)
	if err != nil {
		return nil, fmt.Errorf("error getting API token: %w", err)
	}
	headers := http.Header{"Authorization": {"Bearer " + token}}
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		headers.Set("Content-Type", "application/json")
		sent = bytes.NewReader(text)
	}
	status, read, err := api.send(ctx, method, path, headers, sent)
	if err != nil {
		return nil, err
	}
	if status < 200 || status >= 300 {
		return nil, refusal{status, read}
	}
	answer := new(Answer)
	if err := json.Unmarshal(read, answer); err != nil {
		return nil, fmt.Errorf("error decoding response: %w", err)
	}
	return answer, nil
}

// find is nil for what is not there, or no longer.
func find[Answer any](ctx context.Context, path string) (*Answer, error) {
	answer, err := ask[Answer](ctx, "GET", path, nil)
	if isGone(err) {
		return nil, nil
	}
	return answer, err
}

// remove takes what is gone already for removed.
func remove(ctx context.Context, path string) error {
	_, err := ask[any](ctx, "DELETE", path, nil)
	if isGone(err) {
		return nil
	}
	return err
}

func isGone(err error) bool {
	var refused refusal
	return errors.As(err, &refused) && refused.status == http.StatusNotFound
}

// list asks for the first hundred of a kind.
func list[Item any](ctx context.Context, path string, filters map[string]string) ([]Item, error) {
	query := url.Values{"page": {"1"}, "size": {strconv.Itoa(100)}}
	for name, value := range filters {
		query.Set(name, value)
	}
	page, err := ask[struct {
		Items []Item `json:"items"`
	}](ctx, "GET", path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}
