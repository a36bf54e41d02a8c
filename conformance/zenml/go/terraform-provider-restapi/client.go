package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"time"

	"plinth/conformance/stacks/framework"
)

type client struct {
	http                        *http.Client
	uri, user, password, prefix string
	headers                     map[string]string
	idAttribute                 string
	methods                     map[string]string
	copyKeys                    []string
	writeReturns, createReturns bool
	// pause is the least time between two requests.
	pause            time.Duration
	last             time.Time
	retries          int
	minWait, maxWait time.Duration
}

func newClient(config framework.Object, uri string) (*client, error) {
	if uri == "" {
		return nil, errors.New("uri must be set to construct an API client")
	}
	encryption, err := encryptionOf(config)
	if err != nil {
		return nil, err
	}
	made := &client{
		uri:     strings.TrimSuffix(uri, "/"),
		minWait: time.Second,
		maxWait: 30 * time.Second,
		http: &http.Client{
			Timeout:   seconds(config["timeout"], time.Minute),
			Transport: &http.Transport{TLSClientConfig: encryption, Proxy: http.ProxyFromEnvironment},
		},
	}
	if framework.Truth(config["use_cookies"], false) {
		made.http.Jar, _ = cookiejar.New(nil)
	}
	if rate, isSet := config["rate_limit"].(float64); isSet {
		if rate <= 0 {
			return nil, fmt.Errorf("the rate_limit configuration value must be a positive number: %f", rate)
		}
		made.pause = time.Duration(float64(time.Second) / rate)
	}
	if retries, isSet := config["retries"].(framework.Object); isSet {
		count, _ := retries["max_retries"].(float64)
		made.retries = int(count)
		made.minWait = seconds(retries["min_wait"], made.minWait)
		made.maxWait = seconds(retries["max_wait"], made.maxWait)
	}
	return made, nil
}

func seconds(value any, otherwise time.Duration) time.Duration {
	if number, isSet := value.(float64); isSet {
		return time.Duration(number * float64(time.Second))
	}
	return otherwise
}

func encryptionOf(config framework.Object) (*tls.Config, error) {
	made := &tls.Config{InsecureSkipVerify: framework.Truth(config["insecure"], false)} //nolint:gosec // It is asked for.
	authority := []byte(framework.Text(config["root_ca_string"]))
	if file := framework.Text(config["root_ca_file"]); file != "" {
		read, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		authority = read
	}
	if len(authority) > 0 {
		made.RootCAs = x509.NewCertPool()
		if !made.RootCAs.AppendCertsFromPEM(authority) {
			return nil, errors.New("failed to append root CA certificate(s)")
		}
	}
	var certificate tls.Certificate
	var err error
	if file := framework.Text(config["cert_file"]); file != "" {
		certificate, err = tls.LoadX509KeyPair(file, framework.Text(config["key_file"]))
	} else if text := framework.Text(config["cert_string"]); text != "" {
		certificate, err = tls.X509KeyPair([]byte(text), []byte(framework.Text(config["key_string"])))
	} else {
		return made, nil
	}
	made.Certificates = []tls.Certificate{certificate}
	return made, err
}

// send answers the body and the status; what is not 2xx is an error too. What went wrong on the server's side is tried again,
// as often as the configuration says.
func (c *client) send(ctx context.Context, method, path, data string) (string, int, error) {
	wait := c.minWait
	for attempt := 0; ; attempt++ {
		body, status, err := c.once(ctx, method, path, data)
		isPassing := err != nil && (status == 0 || (status >= 500 && status != http.StatusNotImplemented))
		if !isPassing || attempt >= c.retries {
			return body, status, err
		}
		time.Sleep(wait)
		wait = min(2*wait, c.maxWait)
	}
}

func (c *client) once(ctx context.Context, method, path, data string) (string, int, error) {
	if rest := time.Until(c.last.Add(c.pause)); rest > 0 {
		time.Sleep(rest)
	}
	c.last = time.Now()
	var sent io.Reader
	if data != "" {
		sent = strings.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.uri+path, sent)
	if err != nil {
		return "", 0, fmt.Errorf("failed to create HTTP request: %w", err)
	}
	if data != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	if c.user != "" && c.password != "" {
		request.SetBasicAuth(c.user, c.password)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return "", response.StatusCode, err
	}
	body := strings.TrimPrefix(string(read), c.prefix)
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		return body, response.StatusCode, fmt.Errorf("unexpected response code '%d': %s", response.StatusCode, body)
	}
	if body == "" {
		body = "{}"
	}
	return body, response.StatusCode, nil
}
