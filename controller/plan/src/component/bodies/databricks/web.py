"""What a step asks Azure from within: tokens of its managed identity, addresses of datastores, a secret of the workspace.

In: the variables that Azure ML gives a step. Out: values, or `Failed` with words for people. It knows nothing of runs on Databricks, needs
Python 3.7 and its standard library alone, and writes down no token.
"""

import http.client
import json
import os
import re
import signal
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

# By the end of the workspace's host: Resource Manager, Key Vault, storage.
CLOUDS = {
    "azuredatabricks.net": ("management.azure.com", "vault.azure.net", "core.windows.net"),
    "databricks.azure.us": (
        "management.usgovcloudapi.net",
        "vault.usgovcloudapi.net",
        "core.usgovcloudapi.net",
    ),
    "databricks.azure.cn": ("management.chinacloudapi.cn", "vault.azure.cn", "core.chinacloudapi.cn"),
}
# Both end a step; they are waited for where nothing is half done.
SIGNALS = {signal.SIGTERM, signal.SIGINT}
# Seconds: of one request, of all tries of one, of those for a token, of those after a signal.
REQUEST, PATIENCE, TOKEN, HASTE = 30, 900, 120, 20
DATASTORE = re.compile(
    r"^azureml://(?:subscriptions/([^/]+)/resourcegroups/([^/]+)/(?:providers/[^/]+/)?workspaces/([^/]+)/)?"
    r"datastores/([^/]+)/paths/(.*)$",
    re.IGNORECASE,
)


class Failed(Exception):
    """The step fails, with these words."""


class Refused(Exception):
    """A request was refused: its status, and what was said."""

    def __init__(self, status, text):
        super().__init__("{}: {}".format(status, text))
        self.status = status


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is sent to the host that it is for, and to no other."""

    def redirect_request(self, *_):
        return None


def say(*words):
    print(*words, flush=True)


class Waits:
    """Waits that a signal ends. Signals are blocked, so that no request is cut in two."""

    def __init__(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self.stopped = None

    def hurry(self):
        """From here on as after a signal."""
        self.stopped = self.stopped or time.monotonic()

    def pause(self, seconds):
        if self.stopped is not None:
            time.sleep(min(seconds, 1))
        elif signal.sigtimedwait(SIGNALS, seconds) is not None:
            self.stopped = time.monotonic()


class Web:
    """Requests that are sent again while that may help."""

    def __init__(self, waits):
        self.waits = waits
        self.outside = urllib.request.build_opener(NoRedirect())
        self.machine = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())

    def once(self, opener, url, headers, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        with opener.open(request, timeout=REQUEST) as answer:
            return json.loads(answer.read().decode() or "{}")

    def ask(self, what, url, headers, body=None, opener=None, is_sure=lambda status: True, patience=PATIENCE):
        """The answer. `headers` makes them anew for each try. A status that is not sure is worth another try."""
        begun, wait = time.monotonic(), 1
        while True:
            after = 0
            try:
                return self.once(opener or self.outside, url, headers(), body)
            except urllib.error.HTTPError as error:
                after = error.headers.get("Retry-After") or "0"
                after = int(after) if after.isdigit() else 0
                said = Refused(error.code, words_of(error))
                is_passing = error.code in (408, 429) or error.code >= 500
                if not is_passing and is_sure(error.code):
                    raise said from None
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
                reason = getattr(error, "reason", error)
                if isinstance(reason, ssl.SSLCertVerificationError):
                    raise Failed(
                        "{} cannot be trusted ({}); the environment needs ca-certificates, or SSL_CERT_FILE".format(
                            urllib.parse.urlsplit(url).netloc, reason.verify_message
                        )
                    ) from None
                said = reason
            now, stopped = time.monotonic(), self.waits.stopped
            if now - begun > patience or (stopped is not None and now - stopped > HASTE):
                raise Failed("{} could not be done: {}".format(what, said))
            say("{}: {}; it is tried again".format(what, said))
            self.waits.pause(min(max(wait, after), 60))
            wait *= 2


def words_of(error):
    """What an error says: of Databricks, of Azure, or the text itself."""
    text = ""
    try:
        text = error.read().decode(errors="replace")
        said = json.loads(text)
        inner = said.get("error")
        inner = inner if isinstance(inner, dict) else said
        words = [str(inner[key]) for key in ("error_code", "code", "message", "error_description") if key in inner]
        return ": ".join(words) or text[:500]
    except (ValueError, AttributeError, OSError, http.client.HTTPException):
        return text[:500] or error.reason


class Identity:
    """Tokens of the step's managed identity, kept until they end."""

    def __init__(self, web, client):
        self.web = web
        self.client = client or os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
        self.kept = {}

    def place(self, resource):
        """Where a token is asked for. Source of the first: MSAL, "MachineLearning"."""
        env = os.environ
        query, key = {"resource": resource}, "client_id"
        if env.get("MSI_ENDPOINT") and env.get("MSI_SECRET"):
            url, headers = env["MSI_ENDPOINT"], {"secret": env["MSI_SECRET"]}
            query["api-version"], key = "2017-09-01", "clientid"
        elif env.get("IDENTITY_ENDPOINT") and env.get("IDENTITY_HEADER"):
            url, headers = env["IDENTITY_ENDPOINT"], {"X-IDENTITY-HEADER": env["IDENTITY_HEADER"]}
            query["api-version"] = "2019-08-01"
        else:
            url, headers = "http://169.254.169.254/metadata/identity/oauth2/token", {"Metadata": "true"}
            query["api-version"] = "2018-02-01"
        if self.client:
            query[key] = self.client
        return url + "?" + urllib.parse.urlencode(query), headers

    def token(self, resource):
        token, end = self.kept.get(resource, (None, 0))
        if time.time() < end:
            return token
        url, headers = self.place(resource)
        try:
            answer = self.web.ask("a token for " + resource, url, lambda: headers, opener=self.web.machine, patience=TOKEN)
        except Refused as error:
            raise Failed(
                "the step has no managed identity ({}); give its compute one, and the step identity: {{type: Managed}}".format(error)
            ) from None
        try:
            end = float(answer.get("expires_on")) - 300
        except (TypeError, ValueError):
            end = time.time() + 300
        self.kept[resource] = (answer["access_token"], end)
        return answer["access_token"]

    def forget(self, resource):
        self.kept.pop(resource, None)


class Azure:
    """What the step reads in Azure: the addresses of datastores, and a secret."""

    def __init__(self, web, identity, host):
        self.web, self.identity = web, identity
        self.manager, self.vault, self.storage = CLOUDS[host.split(".", 2)[2]]
        self.own = [os.environ.get("AZUREML_ARM_" + key, "") for key in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]

    def read(self, what, url, resource):
        def headers():
            return {"Authorization": "Bearer " + self.identity.token(resource)}

        try:
            return self.web.ask(what, url, headers)
        except Refused as error:
            raise Failed("{} could not be read ({}); let the identity of the step read it".format(what, error)) from None

    def workspace(self, place, below):
        path = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}".format(*place)
        url = "https://{}{}{}?api-version=2024-04-01".format(self.manager, urllib.parse.quote(path), below)
        return self.read("the workspace" + below, url, "https://{}/".format(self.manager))

    def address(self, uri):
        """The address of what a datastore has, as Databricks reads it."""
        found = DATASTORE.match(uri)
        if not found:
            if uri.startswith("azureml:"):
                raise Failed("{} is no address that Databricks can read; use a datastore, or abfss://".format(uri))
            return uri
        place = [given or own for given, own in zip(found.groups()[:3], self.own)]
        store, path = found.group(4), found.group(5)
        said = self.workspace(place, "/datastores/" + urllib.parse.quote(store))["properties"]
        container = said.get("filesystem") or said.get("containerName")
        if not container or not said.get("accountName"):
            raise Failed("Databricks reads no datastore of type {} ({})".format(said.get("datastoreType"), store))
        return "abfss://{}@{}.dfs.{}/{}".format(container, said["accountName"], said.get("endpoint") or self.storage, path)

    def secret(self, name):
        vault = self.workspace(self.own, "")["properties"]["keyVault"].rsplit("/", 1)[-1]
        url = "https://{}.{}/secrets/{}?api-version=7.4".format(vault, self.vault, name)
        value = self.read("the secret " + name, url, "https://" + self.vault).get("value")
        if not value:
            raise Failed("the secret {} is empty; put a token of Databricks there".format(name))
        return value
