"""Makes, uses and removes personal access tokens by the user client, and looks people up."""

import json
import os

from qhub.api.user import HubUserClient
from qhub.api.user.core.api_error import ApiError

address = f"{os.environ['URL']}/user-service"
client = HubUserClient(api_key="qumulus-local", base_url=address)
tokens = client.user_settings_personal_access_tokens
told = {}

me = client.user_settings.get_current_user()
told["me"] = [me.id, me.firstname, me.email]
said = client.user_settings.update_current_user(current_position="Physicist", homepage="https://a.example")
told["said"] = [said.current_position, client.user_settings.get_current_user().homepage]
client.user_settings.update_current_user_profile_image(file=("me.gif", b"GIF89a"))
client.user_settings.delete_current_user_profile_image()
told["image"] = client.users.get_user_profile_image("local")
made = tokens.create_personal_access_token(name="Script", expires_at="2100-12-31")
theirs = HubUserClient(api_key=made.value, base_url=address)
told["sent"] = theirs.authentication.authorize_by_personal_access_token().access_token.name
told["listed"] = [each.expires_at for each in tokens.get_personal_access_tokens().access_tokens if each.id == made.id]
tokens.delete_personal_access_token(made.id)
try:
    theirs.user_settings.get_current_user()
except ApiError as error:
    told["removed"] = error.status_code
default = tokens.regenerate_default_personal_access_token().default_token
told["default"] = HubUserClient(api_key=default, base_url=address).user_settings.get_current_user().id
client.users.check_user_exists("local")
told["found"] = [each.id for each in client.search.users(q="local")]
resolved = client.users.resolve_users(ids=["local", "nobody"])
told["resolved"] = [[each.id for each in resolved.users], resolved.not_found, client.users.get_user_by_id("local").id]
told["status"] = client.user_registration_status.get_user_registration_status(email="user@localhost").status
print(json.dumps(told))
