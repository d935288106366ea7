import { graphql, useLazyLoadQuery, useMutation, usePaginationFragment, useRefetchableFragment } from 'react-relay';
import type { Users_list$key } from './__generated__/Users_list.graphql.ts';
import type { Users_user$key } from './__generated__/Users_user.graphql.ts';
import type { UsersDeleteMutation } from './__generated__/UsersDeleteMutation.graphql.ts';
import type { UsersListQuery } from './__generated__/UsersListQuery.graphql.ts';
import type { UsersQuery } from './__generated__/UsersQuery.graphql.ts';
import type { UsersUserQuery } from './__generated__/UsersUserQuery.graphql.ts';

/** The users a search finds, ten a page. */
export function Users({ search }: { search: string }) {
  const data = useLazyLoadQuery<UsersQuery>(
    graphql`
      query UsersQuery($filter: UserFilter, $first: Int!) {
        ...Users_list @arguments(filter: $filter, first: $first)
      }
    `,
    { filter: { search }, first: 10 },
  );
  return <UserList list={data} />;
}

function UserList({ list }: { list: Users_list$key }) {
  const { data, loadNext, hasNext } = usePaginationFragment<UsersListQuery, Users_list$key>(
    graphql`
      fragment Users_list on Query
      @argumentDefinitions(filter: { type: "UserFilter" }, first: { type: "Int!" }, after: { type: "String" })
      @refetchable(queryName: "UsersListQuery") {
        users(filter: $filter, first: $first, after: $after) @connection(key: "Users_users") {
          __id
          totalCount
          edges {
            node {
              id
              ...Users_user
            }
          }
        }
      }
    `,
    list,
  );
  return (
    <section>
      <h1>{data.users.totalCount} users</h1>
      <ul>
        {data.users.edges.map(({ node }) => (
          <UserRow key={node.id} user={node} list={data.users.__id} />
        ))}
      </ul>
      {hasNext && <button onClick={() => loadNext(10)}>More</button>}
    </section>
  );
}

function UserRow({ user, list }: { user: Users_user$key; list: string }) {
  const [data, refetch] = useRefetchableFragment<UsersUserQuery, Users_user$key>(
    graphql`
      fragment Users_user on User @refetchable(queryName: "UsersUserQuery") {
        id
        username
        name
        memberships(first: 5) {
          nodes {
            role
            team {
              slug
            }
          }
        }
      }
    `,
    user,
  );
  const [remove, removing] = useMutation<UsersDeleteMutation>(graphql`
    mutation UsersDeleteMutation($input: DeleteUserInput!, $connections: [ID!]!) {
      deleteUser(input: $input) {
        deletedUserId @deleteEdge(connections: $connections)
      }
    }
  `);
  return (
    <li>
      {data.name ?? data.username}
      <button onClick={() => refetch({}, { fetchPolicy: 'network-only' })}>Again</button>
      <button disabled={removing} onClick={() => remove({ variables: { input: { id: data.id }, connections: [list] } })}>
        Delete
      </button>
    </li>
  );
}
